"""An SMSC that can be ordered about: `smppgw-simulator`, and the class `Smsc` for test suites.

    settings    every knob, its default, its unit; refuses the impossible
    fates       pure: what becomes of a message, and whether the sender wants to hear of it
    throttle    pure: the token bucket behind ESME_RTHROTTLED
    agenda      what is to happen later, in one heap and one task
    stats       the counts and the summary
    ledger      what was received and what was acknowledged: bounded in memory, JSON lines on disk
    messages    a message the SMSC has taken, and the deliver_sm made from it
    outbox      what waits for the receivers of one system_id, until a deliver_sm_resp says OK
    link        one connection: the bytes between a trio stream and an smpp Session
    centre      takes messages and decides what becomes of them
    operations  query_sm, cancel_sm, replace_sm
    inbound     an inbound text as deliver_sm
    smsc        all of it together
    control     orders at run time, as JSON lines over a loopback port
    cli         the command

The protocol comes from smppgw.smpp, through the same Session class as the gateway's, with role SMSC. Nothing here
knows smppgw.queue or smppgw.binds.
"""

from __future__ import annotations

from simulator.settings import SimulatorSettings
from simulator.smsc import Smsc

__all__ = ["SimulatorSettings", "Smsc"]
