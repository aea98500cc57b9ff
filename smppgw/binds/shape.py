"""What a carrier is like, decided once: the settings of its dialect as tables, patterns and functions.

Made once per carrier and shared by its binds, so that no message pays for a setting. Refuses to know links, windows
and timers: what may differ from bind to bind stays in the settings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from smppgw.binds.backoff import refusal_table
from smppgw.binds.outcome import KINDS, outcome_table
from smppgw.binds.submit import RequestMaker, Rewrite, request_maker, rewriting
from smppgw.config import AcceptdMeans, CarrierSettings, ReceiptSettings, RefusalPolicy
from smppgw.queue.model import OutcomeKind
from smppgw.smpp import ReceiptRules
from smppgw.smpp.receipts import STATES
from smppgw.sms.encoding import Encoding


@dataclass(frozen=True, slots=True)
class CarrierRules:
    """How this carrier is written to, and how it is read."""

    request_of: RequestMaker  # segment, now_utc_ms -> submit_sm or data_sm
    source_of: Rewrite | None  # how senders are written; None: as they are
    destination_of: Rewrite | None
    outcomes: Mapping[int, OutcomeKind]  # by command_status of the answer to a submit_sm
    unknown_outcome: OutcomeKind
    refusals: Mapping[int, RefusalPolicy]  # by command_status of the answer to a bind
    receipts: ReceiptRules
    id_pattern: re.Pattern[str] | None  # its group is the message_id inside the id of a receipt
    error_classes: Mapping[str, str]  # `err` of receipts -> what it means
    encoding: Encoding  # of inbound texts too


def carrier_rules(settings: CarrierSettings) -> CarrierRules:
    """The rules of a carrier. Raises ValueError for a constant of a vendor TLV that does not fit."""
    source_of, destination_of = rewriting(settings.addresses.source), rewriting(settings.addresses.destination)
    return CarrierRules(
        request_of=request_maker(settings, source_of, destination_of),
        source_of=source_of,
        destination_of=destination_of,
        outcomes=outcome_table(settings.outcomes),
        unknown_outcome=KINDS[settings.unknown_outcome],
        refusals=refusal_table(settings.bind_refusals),
        receipts=_receipt_rules(settings.receipts),
        id_pattern=None if settings.ids.extract is None else re.compile(settings.ids.extract),
        error_classes=settings.receipts.errors,
        encoding=settings.encoding.as_encoding(),
    )


def _receipt_rules(settings: ReceiptSettings) -> ReceiptRules:
    return ReceiptRules(
        states={word.upper(): STATES[state.upper()] for word, state in settings.states.items()},
        acceptd_delivered=settings.acceptd is AcceptdMeans.DELIVERED,
        zone=ZoneInfo(settings.time_zone),
        sniff=settings.sniff,
    )
