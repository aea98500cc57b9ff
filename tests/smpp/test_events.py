from __future__ import annotations

import typing
from pathlib import Path

import pytest

from smppgw.smpp import CloseReason, Event, events
from tests.smpp import test_session


def test_every_event_is_in_the_union() -> None:
    values = [value for value in vars(events).values() if isinstance(value, type)]
    assert set(typing.get_args(Event)) == {value for value in values if hasattr(value, "__dataclass_fields__")}


@pytest.mark.parametrize("reason", list(CloseReason))
def test_every_close_reason_is_provoked_by_the_sessions_suite(reason: CloseReason) -> None:
    assert test_session.__file__ is not None
    assert f"(CloseReason.{reason.name}," in Path(test_session.__file__).read_text(encoding="utf-8")
