from __future__ import annotations

import random
from collections import Counter

import pytest

from simulator.fates import (
    ERROR_CODES,
    FINAL_STATES,
    STAT,
    Fates,
    MessageState,
    wants_intermediate,
    wants_receipt,
)


def test_every_state_has_its_word_and_its_error_code() -> None:
    assert STAT.keys() == ERROR_CODES.keys() == set(MessageState)
    assert all(len(name) == 7 for name in STAT.values())
    assert set(FINAL_STATES) == {"DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "UNKNOWN", "REJECTD", "SKIPPED"}


def test_draws_by_weight() -> None:
    fates = Fates({MessageState.DELIVERED: 6, MessageState.EXPIRED: 0, MessageState.UNDELIVERABLE: 2})
    drawn = [fates.draw(chance) for chance in (0.0, 0.7499, 0.75, 0.999999)]
    assert drawn == [
        MessageState.DELIVERED,
        MessageState.DELIVERED,
        MessageState.UNDELIVERABLE,
        MessageState.UNDELIVERABLE,
    ]
    chance = random.Random(7).random
    counted = Counter(fates.draw(chance()) for _ in range(10_000))
    assert 7300 < counted[MessageState.DELIVERED] < 7700
    assert MessageState.EXPIRED not in counted


@pytest.mark.parametrize(
    ("registered_delivery", "delivered", "failed", "intermediate"),
    [
        (0x00, False, False, False),
        (0x01, True, True, False),
        (0x02, False, True, False),
        (0x03, True, False, False),
        (0x10, False, False, True),
        (0x11, True, True, True),
        (0x0D, True, True, False),  # the bits for SME acknowledgements are no concern of the SMSC
    ],
)
def test_registered_delivery(registered_delivery: int, delivered: bool, failed: bool, intermediate: bool) -> None:
    assert wants_receipt(registered_delivery, MessageState.DELIVERED) is delivered
    for state in (MessageState.UNDELIVERABLE, MessageState.EXPIRED, MessageState.REJECTED, MessageState.DELETED):
        assert wants_receipt(registered_delivery, state) is failed
    assert wants_intermediate(registered_delivery) is intermediate
