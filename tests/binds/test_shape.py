"""Settings as rules: what each of them decides stands in the tests of the room that uses it."""

from __future__ import annotations

from datetime import UTC
from zoneinfo import ZoneInfo

from smppgw.binds.shape import carrier_rules
from smppgw.config import (
    AcceptdMeans,
    AddressRule,
    AddressSettings,
    EncodingSettings,
    IdSettings,
    ReceiptSettings,
    StatusOutcome,
)
from smppgw.queue.model import OutcomeKind
from smppgw.smpp import DEFAULT_RULES
from smppgw.sms.encoding import DEFAULT_ENCODING, DefaultAlphabet
from tests.support.binds import carrier


def test_default_settings_ask_for_nothing_special() -> None:
    rules = carrier_rules(carrier())
    assert (rules.source_of, rules.destination_of, rules.id_pattern) == (None, None, None)
    assert rules.unknown_outcome is OutcomeKind.RETRY
    assert dict(rules.error_classes) == {}
    assert rules.encoding is DEFAULT_ENCODING  # the object itself: decode_text looks no further
    receipts = rules.receipts
    assert (receipts.states, receipts.acceptd_delivered, receipts.sniff) == (DEFAULT_RULES.states, False, False)
    assert receipts.zone.utcoffset(None) in (None, UTC.utcoffset(None))


def test_settings_become_tables() -> None:
    rules = carrier_rules(
        carrier(
            receipts=ReceiptSettings(
                sniff=True,
                acceptd=AcceptdMeans.DELIVERED,
                states={"failed": "UNDELIV", "5": "DELIVRD", "gone": "deletd"},
                errors={"027": "absent_subscriber"},
                time_zone="Europe/Rome",
            ),
            ids=IdSettings(extract=r"(\d+)-\d+"),
            addresses=AddressSettings(source=[AddressRule(pattern=".*")]),
            outcomes={"0x401": StatusOutcome.PAUSE},
            unknown_outcome=StatusOutcome.FAIL,
            encoding=EncodingSettings(default_alphabet=DefaultAlphabet.LATIN1, ucs2_data_coding=24),
        )
    )
    assert dict(rules.receipts.states) == {"FAILED": 5, "5": 2, "GONE": 4}
    assert (rules.receipts.acceptd_delivered, rules.receipts.sniff) == (True, True)
    assert rules.receipts.zone == ZoneInfo("Europe/Rome")
    assert rules.error_classes["027"] == "absent_subscriber"
    assert rules.id_pattern is not None
    assert rules.id_pattern.pattern == r"(\d+)-\d+"
    assert rules.source_of is not None
    assert rules.destination_of is None
    assert rules.outcomes[0x401] is OutcomeKind.PAUSED
    assert rules.unknown_outcome is OutcomeKind.REJECTED
    assert rules.encoding == DEFAULT_ENCODING._replace(default_alphabet=DefaultAlphabet.LATIN1, ucs2_data_coding=24)
