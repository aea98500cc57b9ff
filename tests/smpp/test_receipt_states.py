from __future__ import annotations

import pytest

from smppgw.smpp import STATE_NAMES, STATES, MessageState


def test_every_state_has_its_word() -> None:
    assert set(STATE_NAMES) == set(MessageState)
    assert all(STATES[name] == state for state, name in STATE_NAMES.items())
    assert all(len(name) == 7 for name in STATE_NAMES.values())


def test_words_are_capitals_and_mean_a_state_of_the_standard() -> None:
    assert all(word == word.upper() for word in STATES)
    assert set(STATES.values()) == set(MessageState)
    assert not any(word.isdigit() for word in STATES)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("DELIVRD", 2), ("DELIVERED", 2), ("DELIVERD", 2), ("DELIVER", 2), ("ENROUTE", 1), ("ACCEPTD", 6),
        ("ACCEPTED", 6), ("ACKED", 6), ("BUFFRED", 1), ("BUFFERD", 1), ("BUFFERED", 1), ("EXPIRED", 3),
        ("DELETED", 4),
        ("UNDELIV", 5), ("UNDELIVERABLE", 5), ("FAILED", 5), ("UNKNOWN", 7), ("REJECTD", 8), ("REJECTED", 8),
        ("DND_REJECTED", 8), ("SKIPPED", 9), ("SCHEDLD", 0), ("SCHEDULED", 0),
    ],
)  # fmt: skip
def test_words_of_the_field(word: str, state: int) -> None:
    assert STATES[word] == state
