"""Everything that holds a socket to a carrier.

    pool      all binds: start, stop, status
    bind      one bind for ever: connect, bind, serve, back off, again
    driver    one session: reader, pump, ticker around the sans-IO smppgw.smpp.Session
    outbind   sessions that the SMSC asks for: the one listening socket
    opening   our bind request;  leaving: our way out;  writer: octets out;  showing: a bind as operators see it
    recorder  what a bind still has to tell the store; outlives its sessions.  batch: its kinds, a table
    redelivery   which answers to inbound texts have arrived for certain
    connect   TCP, and tls on it
    link      what the halves of a pair share: endpoints, refusals
    context   what the sessions of one bind share
    shape     what a carrier is like, decided once: its rules as tables, patterns and functions
    outlet    what may be claimed and may leave now;  submit: claimed segment -> submit_sm, data_sm
    intake    what the SMSC sends;  deliver: deliver_sm, data_sm -> receipt or inbound text
    errands   query_sm and cancel_sm beside the submit_sms
    probing   whose turn it is to try a carrier that answers no submit_sm
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
