"""An SMSC that can be ordered about: `smppgw-simulator`, and the class `Smsc` for test suites.

    settings    every knob, its default, its unit; refuses the impossible
    quirks      the ways in which an SMSC may deviate, as settings; the defaults are the straight SMSC
    scenarios   quirks in TOML files: the folder scenarios/ has one for each that has been seen
    fates       pure: what becomes of a message, and whether the sender wants to hear of it
    throttle    pure: the token bucket behind ESME_RTHROTTLED
    agenda      what is to happen later, in one heap and one task
    stats       the counts and the summary
    ledger      what was received and what was acknowledged: bounded in memory, JSON lines on disk
    reading     what a submit says, as a phone would show it
    messages    a message the SMSC has taken, and the deliver_sm made from it
    ids         what a response calls a message, and what its receipt calls it
    dialect     receipts and inbound texts as some SMSCs write them
    odd         PDUs that no SMSC should send
    outbox      what waits for the receivers of one system_id, until a deliver_sm_resp says OK
    picky       outboxes that send receipts over binds of their own choice
    doors       listeners, with TLS or without, and connections that we open
    link        one connection: the bytes between a trio stream and an smpp Session
    tap         what is done to the octets of an ESME before the session sees them
    centre      takes messages and decides what becomes of them
    answering   how submits are answered by an SMSC that does not answer them as it should
    replies     responses on their way out: at once, later, or kept back
    conduct     who may bind, and when a session has to go
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
