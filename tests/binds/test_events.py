"""Every event of the binds is explained in the one table, and every explained one exists."""

from __future__ import annotations

from smppgw.binds import events
from smppgw.telemetry import EVENTS


def test_events_are_explained_and_used() -> None:
    names = {value for name, value in vars(events).items() if name.startswith(("BIND_", "OUTBIND_"))}
    assert names == {name for name in EVENTS if name.startswith(("bind_", "outbind_"))}
