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
