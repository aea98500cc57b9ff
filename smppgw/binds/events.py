"""Names of the log events of the binds (explained in smppgw/telemetry.py), and the one logger they go to."""

from __future__ import annotations

import logging

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
BIND_UNREACHABLE = "bind_unreachable"
OUTBIND_LISTENING = "outbind_listening"
OUTBIND_REFUSED = "outbind_refused"

# Reasons of alarms (see context.Alarms)
ALARM_PAUSED = "paused"  # a command_status whose outcome is `pause`
ALARM_RECEIPTS_MISSING = "receipts_missing"  # too few receipts come for what the SMSC accepts
ALARM_CREDENTIALS = "credentials"  # the SMSC refuses the bind, and an account may get locked
ALARM_ALREADY_BOUND = "already_bound"  # the SMSC holds on to a session of ours, or there are too many
ALARM_BIND_REFUSED = "bind_refused"  # the SMSC refuses the bind for another reason, again and again
REFUSAL_ALARMS = (ALARM_CREDENTIALS, ALARM_ALREADY_BOUND, ALARM_BIND_REFUSED)
