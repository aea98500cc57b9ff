"""An SMSC that can be ordered about: `smppgw-simulator`, and the class `Smsc` for test suites.

    settings    every knob, its default, its unit; refuses the impossible
    quirks      the ways in which an SMSC may deviate, as settings; the defaults are the straight SMSC
    accounts    pure: who may bind, from where and how often, and what each may submit
    rules       pure: which submits, binds and moments are meant, and what is done to them
    magic       destinations that each have one certain fate, as rules
    plans       what becomes of the messages of one scenario or rule
    scenarios   quirks in TOML files: the folder scenarios/ has one for each that has been seen
    delays      pure: how long something takes, drawn from a distribution, and the notation for it
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
    picky       receipts that go over binds of their own choice
    doors       listeners, with TLS or without, and connections that we open
    link        one connection: the bytes between a trio stream and an smpp Session
    capture     all that is said, as a pcapng file: which octets, when
    packets     pure: IP and TCP around them
    pcapng      pure: the blocks of the file
    recordings  the sessions in a capture, read back: ours, tcpdump's, Wireshark's
    pcapfiles   packets out of pcap and pcapng files
    segments    pure: TCP segments out of packets
    borders     pure: where a PDU begins in a stream that is come into in the middle
    tap         what is done to the octets of an ESME before the session sees them
    centre      takes messages and decides what becomes of them
    answering   how submits are answered by an SMSC that does not answer them as it should
    replies     responses on their way out: at once, later, or kept back
    conduct     who may bind, and when a session has to go
    operations  query_sm, cancel_sm, replace_sm
    inbound     an inbound text as deliver_sm or data_sm, in any alphabet and any parts
    charsets    the character sets beyond those of the gateway's planner
    injector    inbound texts on their way: parts with gaps, streams of texts
    injecting   what to inject, as orders and callers say it
    inject_options  the same as options of the command
    smsc        all of it together
    control     orders at run time: their names, what they take, what they do
    http11      HTTP/1.1 over a stream: limits, and who may ask
    endpoints   the control port: orders, queries, expectations and metrics as paths
    parameters  pure: what was asked for in words, as filters and expectations
    patterns    pure: exact, with * and ?, or a /regular expression/
    finding     which of the things received are wanted
    assembly    pure: long messages put together from their submits
    expectations  so many of a kind within so many seconds, or what came instead
    metrics     the counts as Prometheus reads them
    asking      a simulator that runs, asked over its control port
    remote      the commands that look at one
    cli         the command
    running     a simulator in a thread or in a process of its own, and how it is asked there
    testing     for test suites: the orders and questions as calls, and as coroutines for trio and asyncio
    pytest_plugin  the fixtures `smsc` and `smsc_factory`

The protocol comes from smppgw.smpp, through the same Session class as the gateway's, with role SMSC. Nothing here
knows smppgw.queue or smppgw.binds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.settings import SimulatorSettings
    from simulator.smsc import Smsc
else:
    _HOMES = {"SimulatorSettings": "simulator.settings", "Smsc": "simulator.smsc"}

    def __getattr__(name: str) -> object:
        """What is asked for is imported then: any run of pytest loads our plugin, and with it this file."""
        if name in _HOMES:
            return getattr(import_module(_HOMES[name]), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["SimulatorSettings", "Smsc"]
