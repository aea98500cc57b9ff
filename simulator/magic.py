"""Magic numbers: destinations that each have one certain fate, as the test cards of a payment sandbox have.

Owns the table, from which the README and `smppgw-simulator numbers` are made. All of them begin with +1 500 555, as
Twilio's test numbers do: +1 500 is no place and no mobile network, and libraries that judge numbers take them for
valid. What is not in the table is a number like any other. A rule of the scenario that fits wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import NamedTuple

from simulator.delays import Delay
from simulator.fates import ERROR_CODES, FINAL_STATES, MessageState
from simulator.quirks import ReceiptQuirks, StatusCode
from simulator.rules import Cut, ReceiptEffect, ResponseEffect, Rule, SessionEffect, When
from smppgw.smpp import Status, status_name

PREFIX = "1500555"


class Magic(NamedTuple):
    """One number, international without `+`; its fate in a few words, and what the ESME gets to see."""

    number: str
    fate: str
    seen: str
    rule: Rule


_WHAT_IT_MEANS: Mapping[MessageState, str] = {
    MessageState.DELIVERED: "it reached the phone",
    MessageState.EXPIRED: "the phone was not reachable until the end of the validity period",
    MessageState.DELETED: "it was taken out of the SMSC",
    MessageState.UNDELIVERABLE: "it cannot be delivered",
    MessageState.UNKNOWN: "the SMSC does not know what became of it",
    MessageState.REJECTED: "the network rejected it",
    MessageState.SKIPPED: "it was passed over (SMPP 5.0)",
}

#: Last three digits: the command_status as a decimal number.
_REFUSALS: Mapping[Status, str] = {
    Status.ESME_RSYSERR: "a fault of the SMSC; worth another try",
    Status.ESME_RINVSRCADR: "the source address may not be used",
    Status.ESME_RINVDSTADR: "there is no such number",
    Status.ESME_RMSGQFUL: "the recipient's queue is full; worth another try later",
    Status.ESME_RSUBMITFAIL: "refused without a reason",
    Status.ESME_RTHROTTLED: "too fast; worth another try later",
    Status.ESME_RX_T_APPN: "not now",
    Status.ESME_RX_P_APPN: "never",
    Status.ESME_RX_R_APPN: "this message never",
    Status.ESME_RUNKNOWNERR: "nobody knows why",
}


def _outcomes() -> list[Magic]:
    return [
        Magic(
            f"{PREFIX}1{state:03d}",
            f"receipt {name}",
            f"stat:{name} err:{ERROR_CODES[state]:03d}, message_state {state:d}: {_WHAT_IT_MEANS[state]}",
            Rule(receipts=ReceiptEffect(outcomes={state: 1.0})),
        )
        for name, state in FINAL_STATES.items()
    ]


def _receipts() -> list[Magic]:
    def magic(last: int, fate: str, seen: str, effect: ReceiptEffect) -> Magic:
        return Magic(f"{PREFIX}{last}", fate, seen, Rule(receipts=effect))

    def sequence(*names: str) -> ReceiptEffect:
        return ReceiptEffect(dialect=ReceiptQuirks(sequence=names))

    slow = Delay(30.0, 30.0)
    return [
        magic(1100, "no receipt", "accepted, and never a receipt", ReceiptEffect(never=True)),
        magic(
            1101,
            "early receipt",
            "the receipt comes before the response that tells its message_id",
            ReceiptEffect(early=True),
        ),
        magic(1102, "late receipt", "the receipt comes after 30 seconds", ReceiptEffect(delay=slow)),
        magic(1103, "receipt twice", "the same receipt comes twice", sequence("final", "final")),
        magic(
            1104,
            "intermediate, then final",
            "ENROUTE as an intermediate notification (esm_class 0x20), asked for or not; then the receipt",
            sequence("ENROUTE", "final"),
        ),
        magic(
            1105,
            "final, then intermediate",
            "the receipt, then ENROUTE, which is too late",
            sequence("final", "ENROUTE"),
        ),
        magic(1106, "contradicting receipts", "DELIVRD first, then UNDELIV", sequence("final", "UNDELIV")),
        magic(
            1107,
            "receipt nobody asked for",
            "a receipt even with registered_delivery 0",
            ReceiptEffect(dialect=ReceiptQuirks(unrequested=True)),
        ),
        magic(
            1108,
            "receipt without TLVs",
            "only the text of the receipt names the message",
            ReceiptEffect(dialect=ReceiptQuirks(id_tlv=False, state_tlv=False, reference_tlv=False)),
        ),
        magic(
            1109,
            "receipt without text",
            "only receipted_message_id and message_state tell",
            ReceiptEffect(dialect=ReceiptQuirks(texts=("",))),
        ),
    ]


def _refusals() -> list[Magic]:
    return [
        Magic(
            f"{PREFIX}2{status:03d}",
            f"refused {status_name(status)}",
            f"command_status 0x{status:08X}: {means}",
            _refused(status),
        )
        for status, means in _REFUSALS.items()
    ] + [
        Magic(
            f"{PREFIX}3{status:03d}",
            f"refused {status_name(status)} every other time",
            "refused the first time, accepted the second, and so on: a client that tries again gets through",
            # One less than none is let past, so that it is the first that meets its fate and not the second.
            _refused(status, When(after=-1, every=2)),
        )
        for status in (Status.ESME_RSYSERR, Status.ESME_RMSGQFUL, Status.ESME_RTHROTTLED)
    ]


def _refused(status: int, when: When = When()) -> Rule:  # noqa: B008  # cannot be changed
    return Rule(when=when, response=ResponseEffect(statuses={StatusCode(status): 1.0}))


def _responses() -> list[Magic]:
    def magic(last: int, fate: str, seen: str, effect: ResponseEffect) -> Magic:
        return Magic(f"{PREFIX}{last}", fate, seen, Rule(response=effect))

    nack = StatusCode(Status.ESME_RSYSERR)
    return [
        magic(4001, "no answer", "no response, and the message is not taken", ResponseEffect(never=True)),
        magic(
            4002,
            "lost answer",
            "no response, but the message is taken and its receipt comes",
            ResponseEffect(lost=True),
        ),
        magic(
            4003,
            "generic_nack",
            "generic_nack with ESME_RSYSERR in place of the response",
            ResponseEffect(generic_nack=nack),
        ),
        magic(4004, "slow answer", "the response comes after 5 seconds", ResponseEffect(delay=Delay(5.0, 5.0))),
        magic(4005, "answered twice", "the same response comes twice", ResponseEffect(copies=2)),
        magic(
            4006,
            "wrong sequence_number",
            "the response belongs to no request",
            ResponseEffect(sequence_offset=1_000_000),
        ),
        magic(4007, "response without a body", "status 0 and nothing behind the header", ResponseEffect(body=False)),
        magic(
            4008, "response without message_id", "status 0 and an empty message_id", ResponseEffect(message_id=False)
        ),
        magic(4009, "unreadable response", "a message_id without an end", ResponseEffect(malformed="endless_id")),
    ]


def _sessions() -> list[Magic]:
    def magic(last: int, fate: str, seen: str, effect: SessionEffect) -> Magic:
        return Magic(f"{PREFIX}{last}", fate, seen, Rule(session=effect))

    return [
        magic(
            5001,
            "cut before the response",
            "the message is taken, the connection drops without a response",
            SessionEffect(cut=Cut.BEFORE),
        ),
        magic(
            5002,
            "cut after the response",
            "the response, then the connection drops",
            SessionEffect(cut=Cut.AFTER),
        ),
        magic(
            5003,
            "cut at once",
            "the connection drops, and the message is not taken",
            SessionEffect(cut=Cut.NOW),
        ),
        magic(5004, "unbind", "the response, then unbind", SessionEffect(unbind=True)),
        magic(
            5005,
            "half-open",
            "the response; then the connection stays and nothing is ever answered",
            SessionEffect(half_open=True),
        ),
        magic(
            5006,
            "enquire_link unanswered",
            "the response; from then on enquire_link is not answered on this connection",
            SessionEffect(enquire_link_answered=False),
        ),
    ]


#: In order of the numbers.
MAGIC: tuple[Magic, ...] = (*_outcomes(), *_receipts(), *_refusals(), *_responses(), *_sessions())


def rules_on(receipts: ReceiptQuirks) -> dict[str, Rule]:
    """The rule of each number, with `+` and without; its receipts look as `receipts` have it otherwise."""
    straight = ReceiptQuirks()
    rules = {}
    for magic in MAGIC:
        rule = magic.rule
        own = rule.receipts.dialect if rule.receipts is not None else None
        if rule.receipts is not None and own is not None and receipts != straight:
            changed = {one.name: value for one in fields(own) if (value := getattr(own, one.name)) != one.default}
            rule = replace(rule, receipts=replace(rule.receipts, dialect=replace(receipts, **changed)))
        rules[magic.number] = rules[f"+{magic.number}"] = rule
    return rules


def markdown() -> str:
    """The table for the README."""
    rows = (f"| +{magic.number} | {magic.fate} | {magic.seen} |" for magic in MAGIC)
    return "\n".join(("| number | fate | what one sees |", "|---|---|---|", *rows))
