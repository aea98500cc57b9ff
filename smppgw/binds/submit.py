"""From a claimed segment to its submit_sm or data_sm, and the name of the claim that its answer has to bear.

What the carrier's settings say is decided once: `request_maker` returns a function with all of it bound, of which a
carrier with default settings pays for nothing it does not use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

from smppgw.addresses import Address
from smppgw.config import AddressRule, CarrierSettings, SubmitCommand, SubmitSettings, ValidityForm
from smppgw.errors import LocalProtocolError
from smppgw.queue.model import ClaimedSegment, Extras, Lane, part_of, reference_of
from smppgw.smpp import DataSm, SubmitSm, Tag, absolute_time, relative_time

#: segment_id and claim: one submit_sm. A segment that is sent again has two of them, and each has its own answer.
ClaimKey = tuple[int, int]

#: Makes the request of a segment at a time (utc_ms). Raises LocalProtocolError where the carrier cannot carry it.
RequestMaker = Callable[[ClaimedSegment, int], SubmitSm | DataSm]
Rewrite = Callable[[Address], Address]
#: From the end of a message's validity, now, and the time it may leave the SMSC (all utc_ms) to a validity_period.
Validity = Callable[[int, int, int], str]

_REFERENCE = int(Tag.USER_MESSAGE_REFERENCE)
_PAYLOAD = int(Tag.MESSAGE_PAYLOAD)
_SUBUNIT = int(Tag.DEST_ADDR_SUBUNIT)
_TIME_TO_LIVE = int(Tag.QOS_TIME_TO_LIVE)
_MOST_TIME_TO_LIVE_S = 0xFFFFFFFF
_REMEMBERED = 16_384
_PLAIN = Extras()


def claim_key(segment: ClaimedSegment) -> ClaimKey:
    return segment.segment_id, segment.claim


# ---------------------------------------------------------------------------------------------------------------- #
# Validity
# ---------------------------------------------------------------------------------------------------------------- #


def _validity(form: ValidityForm, max_s: float) -> Validity:
    """What remains of the message's validity, at most `max_s` (0: no limit), in this form.

    Both forms count from now, also where the SMSC keeps the message until its time (SMPP 3.4, 5.2.16 and 7.1.1);
    `max_s` counts from that time: else the message would be over before it began.
    """
    most_ms = round(max_s * 1000) if max_s else 1 << 62

    def relative(expires_utc_ms: int, now_utc_ms: int, start_utc_ms: int) -> str:
        return relative_time((min(expires_utc_ms, start_utc_ms + most_ms) - now_utc_ms) // 1000)

    def absolute(expires_utc_ms: int, now_utc_ms: int, start_utc_ms: int) -> str:
        return absolute_time(max(min(expires_utc_ms, start_utc_ms + most_ms), now_utc_ms + 1000) // 1000)

    if form is ValidityForm.OMIT:
        return lambda expires_utc_ms, now_utc_ms, start_utc_ms: ""
    return absolute if form is ValidityForm.ABSOLUTE else relative


def _start(extras: Extras | None, now_utc_ms: int) -> int:
    """When the SMSC may let a message go that it is given now."""
    scheduled = None if extras is None else extras.schedule_utc_ms
    return now_utc_ms if scheduled is None else max(scheduled, now_utc_ms)


# ---------------------------------------------------------------------------------------------------------------- #
# Addresses
# ---------------------------------------------------------------------------------------------------------------- #


def rewriting(rules: Sequence[AddressRule]) -> Rewrite | None:
    """Writes addresses as the first rule that fits says; one that none fits stays as it is. None without rules."""
    if not rules:
        return None
    compiled = [(re.compile(rule.pattern), rule) for rule in rules]

    @lru_cache(maxsize=_REMEMBERED)
    def rewrite(address: Address) -> Address:
        for pattern, rule in compiled:
            if pattern.fullmatch(address.addr):
                return Address(
                    address.ton if rule.ton is None else rule.ton,
                    address.npi if rule.npi is None else rule.npi,
                    rule.prepend + address.addr.removeprefix(rule.strip),
                )
        return address

    return rewrite


# ---------------------------------------------------------------------------------------------------------------- #
# TLVs
# ---------------------------------------------------------------------------------------------------------------- #


def _sar_tlvs(segment: ClaimedSegment, reference: int) -> dict[int, bytes]:
    """SMPP 3.4, 5.3.2.22 to 5.3.2.24."""
    return {
        int(Tag.SAR_MSG_REF_NUM): (reference & 0xFFFF).to_bytes(2, "big"),
        int(Tag.SAR_TOTAL_SEGMENTS): bytes((segment.parts,)),
        int(Tag.SAR_SEGMENT_SEQNUM): bytes((part_of(segment.segment_id),)),
    }


# ---------------------------------------------------------------------------------------------------------------- #
# The request
# ---------------------------------------------------------------------------------------------------------------- #


def request_maker(
    settings: CarrierSettings, source_of: Rewrite | None, destination_of: Rewrite | None
) -> RequestMaker:
    """The function that makes this carrier's submit_sm or data_sm. In it: what each message has in common."""
    data_sm = settings.submit.command is SubmitCommand.DATA_SM
    return (_data_sm_maker if data_sm else _submit_sm_maker)(settings, source_of, destination_of)


def _new_submit_sm(submit: SubmitSettings) -> Callable[..., SubmitSm]:
    """What is as the standard has it is left to the PDU: each argument would cost every message."""
    fields: dict[str, Any] = {"service_type": submit.service_type, "protocol_id": submit.protocol_id}
    fields = {name: value for name, value in fields.items() if value}
    return partial(SubmitSm, **fields) if fields else SubmitSm


def _submit_sm_maker(
    settings: CarrierSettings, source_of: Rewrite | None, destination_of: Rewrite | None
) -> RequestMaker:
    submit = settings.submit
    new, mode = _new_submit_sm(submit), submit.messaging_mode
    priorities = tuple(submit.priority.get(lane.label, 0) for lane in Lane) if submit.priority else None
    validity = _validity(submit.validity, submit.max_validity_s)
    tlvs_of = _tlvs_maker(settings)
    with_reference = settings.tlvs and submit.user_message_reference
    no_constants = not _constants(settings)
    remaining = submit.validity is ValidityForm.RELATIVE and not submit.max_validity_s

    def make(segment: ClaimedSegment, now_utc_ms: int) -> SubmitSm:
        extras = segment.extras
        source_ton, source_npi, source = segment.source if source_of is None else source_of(segment.source)
        dest = segment.destination
        dest_ton, dest_npi, destination = dest if destination_of is None else destination_of(dest)
        expires_utc_ms = segment.expires_utc_ms
        if extras is None and no_constants:
            tlvs = {_REFERENCE: reference_of(segment.segment_id).to_bytes(2, "big")} if with_reference else {}
        else:
            tlvs = tlvs_of(segment, extras or _PLAIN)
        pdu = new(
            source_addr_ton=source_ton,
            source_addr_npi=source_npi,
            source_addr=source,
            dest_addr_ton=dest_ton,
            dest_addr_npi=dest_npi,
            destination_addr=destination,
            esm_class=segment.esm_class | mode,
            validity_period=(
                relative_time((expires_utc_ms - now_utc_ms) // 1000)
                if remaining
                else validity(expires_utc_ms, now_utc_ms, _start(extras, now_utc_ms))
            ),
            registered_delivery=segment.registered_delivery,
            data_coding=segment.data_coding,
            short_message=segment.octets,
            tlvs=tlvs,
        )
        if priorities is not None:
            pdu.priority_flag = priorities[segment.lane]
        if extras is not None:
            _apply(extras, pdu, now_utc_ms)
        return pdu

    return make


def _apply(extras: Extras, pdu: SubmitSm, now_utc_ms: int) -> None:
    """What the message has of its own, in place of the carrier's settings."""
    if extras.schedule_utc_ms is not None and extras.schedule_utc_ms > now_utc_ms:
        pdu.schedule_delivery_time = absolute_time(-(-extras.schedule_utc_ms // 1000))  # not a tenth too early
    if extras.service_type is not None:
        pdu.service_type = extras.service_type
    if extras.protocol_id is not None:
        pdu.protocol_id = extras.protocol_id
    if extras.priority_flag is not None:
        pdu.priority_flag = extras.priority_flag
    pdu.replace_if_present_flag = int(extras.replace_if_present)
    if extras.payload:
        pdu.tlvs[_PAYLOAD] = pdu.short_message
        pdu.short_message = b""


def _data_sm_maker(
    settings: CarrierSettings, source_of: Rewrite | None, destination_of: Rewrite | None
) -> RequestMaker:
    """data_sm has neither validity_period nor short_message: both travel as TLVs (SMPP 3.4, 4.7.1)."""
    submit = settings.submit
    tlvs_of = _tlvs_maker(settings)
    max_s = submit.max_validity_s or _MOST_TIME_TO_LIVE_S

    def make(segment: ClaimedSegment, now_utc_ms: int) -> DataSm:
        extras = segment.extras or _PLAIN
        if not settings.tlvs:
            raise LocalProtocolError("data_sm carries its text in a TLV, and the carrier takes none")
        if _start(extras, now_utc_ms) > now_utc_ms:  # accepted while the settings still said submit_sm
            raise LocalProtocolError("the carrier was to keep the message until its time, and data_sm tells it none")
        source_ton, source_npi, source = segment.source if source_of is None else source_of(segment.source)
        dest = segment.destination
        dest_ton, dest_npi, destination = dest if destination_of is None else destination_of(dest)
        tlvs = tlvs_of(segment, extras)
        if submit.validity is not ValidityForm.OMIT:
            seconds = max(1, int(min((segment.expires_utc_ms - now_utc_ms) / 1000, max_s)))
            tlvs[_TIME_TO_LIVE] = seconds.to_bytes(4, "big")
        tlvs[_PAYLOAD] = segment.octets
        return DataSm(
            service_type=submit.service_type if extras.service_type is None else extras.service_type,
            source_addr_ton=source_ton,
            source_addr_npi=source_npi,
            source_addr=source,
            dest_addr_ton=dest_ton,
            dest_addr_npi=dest_npi,
            destination_addr=destination,
            esm_class=segment.esm_class | submit.messaging_mode,
            registered_delivery=segment.registered_delivery,
            data_coding=segment.data_coding,
            tlvs=tlvs,
        )

    return make


def _constants(settings: CarrierSettings) -> dict[int, bytes]:
    """The vendor TLVs that every request carries, in the order of the settings."""
    return {one.tag: one.octets_of(one.value) for one in settings.vendor_tlvs.values() if one.value is not None}


def _tlvs_maker(settings: CarrierSettings) -> Callable[[ClaimedSegment, Extras], dict[int, bytes]]:
    """All TLVs of a request but the text: ours, the carrier's constants, what the message has of its own."""
    with_reference = settings.submit.user_message_reference
    constants = _constants(settings)
    order = [one.tag for one in settings.vendor_tlvs.values()]

    def none(segment: ClaimedSegment, extras: Extras) -> dict[int, bytes]:
        needed = (extras.sar_reference, extras.dest_addr_subunit)
        if extras.tlvs or extras.payload or needed != (None, None):
            raise LocalProtocolError("the message needs TLVs, and the carrier takes none")
        return {}

    def make(segment: ClaimedSegment, extras: Extras) -> dict[int, bytes]:
        tlvs = {_REFERENCE: reference_of(segment.segment_id).to_bytes(2, "big")} if with_reference else {}
        if extras.tlvs:
            given = constants | dict(extras.tlvs)
            tlvs |= {tag: given[tag] for tag in order if tag in given}
            tlvs |= given  # and those of a tag that the settings no longer have
        else:
            tlvs |= constants
        if extras.sar_reference is not None:
            tlvs |= _sar_tlvs(segment, extras.sar_reference)
        if extras.dest_addr_subunit is not None:
            tlvs[_SUBUNIT] = bytes((extras.dest_addr_subunit,))
        return tlvs

    return make if settings.tlvs else none
