"""From a claimed segment to its submit_sm, and the name of the claim that its answer has to bear."""

from __future__ import annotations

from functools import lru_cache

from smppgw.queue.model import ClaimedSegment
from smppgw.smpp import SubmitSm

#: segment_id and claim: one submit_sm. A segment that is sent again has two of them, and each has its own answer.
ClaimKey = tuple[int, int]

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400


@lru_cache(maxsize=4096)
def relative_time(seconds: int) -> str:
    """A period as SMPP time, relative format `YYMMDDhhmmss000R` (SMPP 3.4, 7.1.1.2); at least one second.

    Periods above 31 days use the months field. Months differ in length, so each counts as 31 days here and a year as
    12 of them: the SMSC may then give up a little too early, never too late.
    """
    days, rest = divmod(max(1, seconds), _DAY_S)
    hours, rest = divmod(rest, _HOUR_S)
    minutes, rest = divmod(rest, _MINUTE_S)
    months, days = divmod(days, 31)
    years, months = divmod(months, 12)
    if years > 99:
        return "991131235959000R"
    return f"{years:02}{months:02}{days:02}{hours:02}{minutes:02}{rest:02}000R"


def claim_key(segment: ClaimedSegment) -> ClaimKey:
    return segment.segment_id, segment.claim


def submit_sm(segment: ClaimedSegment, now_utc_ms: int) -> SubmitSm:
    """The submit_sm of a segment; its validity_period is what remains of the message's validity now."""
    source_ton, source_npi, source = segment.source
    dest_ton, dest_npi, destination = segment.destination
    return SubmitSm(
        source_addr_ton=source_ton,
        source_addr_npi=source_npi,
        source_addr=source,
        dest_addr_ton=dest_ton,
        dest_addr_npi=dest_npi,
        destination_addr=destination,
        esm_class=segment.esm_class,
        validity_period=relative_time((segment.expires_utc_ms - now_utc_ms) // 1000),
        registered_delivery=segment.registered_delivery,
        data_coding=segment.data_coding,
        short_message=segment.octets,
    )
