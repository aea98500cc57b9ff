"""Alarms: logged once per change, shown until they are cleared."""

from __future__ import annotations

import pytest

from smppgw.binds.context import Alarms


def test_each_change_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="smppgw.binds")
    alarms = Alarms(bind="demo/1")
    assert alarms.first == ""
    alarms.clear_alarm("paused")
    alarms.raise_alarm("paused", command_status="ESME_RSYSERR")
    alarms.raise_alarm("paused", command_status="ESME_RSYSERR")
    alarms.raise_alarm("credentials")
    assert alarms.first == "paused"
    alarms.clear_alarm("paused")
    assert alarms.first == "credentials"
    assert [(record.message, record.__dict__["fields"]) for record in caplog.records] == [
        ("bind_alarm", {"bind": "demo/1", "alarm": "paused", "command_status": "ESME_RSYSERR"}),
        ("bind_alarm", {"bind": "demo/1", "alarm": "credentials"}),
        ("bind_alarm_cleared", {"bind": "demo/1", "alarm": "paused"}),
    ]
