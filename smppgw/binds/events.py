"""Names of the log events of the binds (explained in smppgw/telemetry.py), and the one logger they go to."""

from __future__ import annotations

import logging

from smppgw.binds.status import Alarm

LOGGER = logging.getLogger("smppgw.binds")

BIND_CONNECTING = "bind_connecting"
BIND_UP = "bind_up"
BIND_DOWN = "bind_down"
BIND_REFUSED = "bind_refused"
BIND_THROTTLED = "bind_throttled"
BIND_QUEUES_FULL = "bind_queues_full"
BIND_WINDOW_OVERDUE = "bind_window_overdue"
BIND_DRAINING = "bind_draining"
BIND_STOPPED = "bind_stopped"
BIND_DELIVERIES_REFUSED = "bind_deliveries_refused"
BIND_STORE_UNAVAILABLE = "bind_store_unavailable"
BIND_STORE_AVAILABLE = "bind_store_available"
BIND_OUTCOMES_STALE = "bind_outcomes_stale"
BIND_UNRECORDABLE = "bind_unrecordable"
BIND_UNSENDABLE = "bind_unsendable"
BIND_ALERT_NOTIFICATION = "bind_alert_notification"
BIND_ERRAND_FAILED = "bind_errand_failed"
BIND_ALARM = "bind_alarm"
BIND_ALARM_CLEARED = "bind_alarm_cleared"
BIND_BAD_PDU = "bind_bad_pdu"
BIND_TEXT_LIKE_RECEIPT = "bind_text_like_receipt"
BIND_UNREACHABLE = "bind_unreachable"
OUTBIND_LISTENING = "outbind_listening"
OUTBIND_REFUSED = "outbind_refused"

# Reasons of alarms (see status.Alarm)
ALARM_PAUSED = Alarm.PAUSED
ALARM_RECEIPTS_MISSING = Alarm.RECEIPTS_MISSING
ALARM_NO_ANSWERS = Alarm.NO_ANSWERS
ALARM_RECEIPTS_UNMATCHED = Alarm.RECEIPTS_UNMATCHED
ALARM_CREDENTIALS = Alarm.CREDENTIALS
ALARM_ALREADY_BOUND = Alarm.ALREADY_BOUND
ALARM_OUTBIND_REFUSED = Alarm.OUTBIND_REFUSED
ALARM_BIND_REFUSED = Alarm.BIND_REFUSED
ALARM_BIND_IMPOSSIBLE = Alarm.BIND_IMPOSSIBLE
REFUSAL_ALARMS = (
    ALARM_CREDENTIALS,
    ALARM_ALREADY_BOUND,
    ALARM_BIND_REFUSED,
    ALARM_BIND_IMPOSSIBLE,
    ALARM_OUTBIND_REFUSED,
)
