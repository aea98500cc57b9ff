"""Everything that holds a socket to a carrier.

    pool      all binds: start, stop, status
    bind      one bind for ever: connect, bind, serve, back off, again
    driver    one session: reader, pump, writer, ticker around the sans-IO smppgw.smpp.Session
    recorder  what a bind still has to tell the store; outlives its sessions
    connect   TCP; the only place that knows host and port
    context   what the sessions of one bind share
    submit    claimed segment -> submit_sm
    deliver   deliver_sm, data_sm -> receipt or inbound text
    backoff, pacing, outcome   policies: pure functions and small memories, time is an argument
    status    what a bind shows of itself;  events: its log events;  wake: an event to set again

Meets the queue only through the protocol and the operations in smppgw.queue.model.
"""

from __future__ import annotations

from smppgw.binds.connect import Connect, open_stream
from smppgw.binds.pool import BindPool
from smppgw.binds.status import BindKind, BindState, BindStatus, Limit, NullObserver, Observer

__all__ = [
    "BindKind",
    "BindPool",
    "BindState",
    "BindStatus",
    "Connect",
    "Limit",
    "NullObserver",
    "Observer",
    "open_stream",
]
