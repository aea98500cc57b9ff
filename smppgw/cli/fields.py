"""The fields of a message beside its content: the options that `send` and `segments` share, so that what is sent can
be previewed by changing one word.

Owns their names on the command line, and that errors speak of these. Refuses to judge values: the gateway does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import click

from smppgw.cli.common import F
from smppgw.cli.content import Option, content_fields, content_options

_TIMES = "Times"


def message_options(command: F) -> F:
    """The options behind `message_fields` and `content.body_of`."""
    for names, settings in reversed(_BESIDE):
        command = click.option(*names, cls=Option, **settings)(command)
    command = content_options(command)
    for names, settings in reversed(_FIRST):
        command = click.option(*names, cls=Option, **settings)(command)
    return command


_Options = tuple[tuple[tuple[str, ...], dict[str, Any]], ...]

_FIRST: _Options = (
    (("--lane",), {"help": "otp, transactional or bulk."}),
    (
        ("--validity-s",),
        {
            "type": float,
            "heading": _TIMES,
            "help": "Seconds after which it need not be sent any more, counted from --send-at.",
        },
    ),
    (
        ("--send-at",),
        {
            "heading": _TIMES,
            "metavar": "TIME",
            "help": "Not before: RFC 3339 with a zone, or SMPP time such as 000001000000000R, in one day. A time in "
            "the past means at once: so a command that is repeated finds its message again.",
        },
    ),
    (
        ("--valid-until",),
        {
            "heading": _TIMES,
            "metavar": "TIME",
            "help": "After it, it need not be sent any more; in place of --validity-s.",
        },
    ),
)
_BESIDE: _Options = (
    (("--client-ref",), {"help": "Your own reference; with one recipient only."}),
    (
        ("--service-type",),
        {"help": "service_type of the submit_sm, for carriers that choose a product by it."},
    ),
    (
        ("--priority",),
        {"type": click.IntRange(0, 3), "help": "priority_flag of the submit_sm: the carrier's, not ours."},
    ),
    (
        ("--protocol-id",),
        {
            "type": click.IntRange(0, 255),
            "help": "protocol_id of the submit_sm (TP-PID, 3GPP 23.040, 9.2.3.9).",
        },
    ),
    (
        ("--replace-type",),
        {
            "type": click.IntRange(1, 7),
            "help": "The handset replaces the message of the same type and sender: protocol_id 0x41 to 0x47.",
        },
    ),
    (
        ("--replace-if-present",),
        {"is_flag": True, "help": "Replace the message that still waits at the SMSC for this recipient."},
    ),
    (
        ("--tlv", "tlvs"),
        {
            "multiple": True,
            "metavar": "NAME=VALUE",
            "help": "TLV of the carrier's vendor_tlvs; NAME:=7 for an integer. May be given several times.",
        },
    ),
)

_AS_THEY_ARE = (
    *("lane", "validity_s", "send_at", "valid_until"),
    *("client_ref", "service_type", "priority", "protocol_id", "replace_type"),
)


def message_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an item beside recipient, sender and body, as far as the options give any."""
    fields = {name: given[name] for name in _AS_THEY_ARE}
    fields |= {"replace_if_present": given["replace_if_present"] or None, "tlvs": _tlvs(given["tlvs"]) or None}
    return {**{name: value for name, value in fields.items() if value is not None}, **content_fields(given)}


def _tlvs(given: tuple[str, ...]) -> dict[str, int | str]:
    """NAME=VALUE is a string, NAME:=VALUE an integer."""
    tlvs: dict[str, int | str] = {}
    for one in given:
        name, separator, value = one.partition("=")
        integer = name.endswith(":")
        name = name.removesuffix(":")
        if not separator or not name:
            raise click.UsageError(f"--tlv {one}: not NAME=VALUE")
        if name in tlvs:
            raise click.UsageError(f"--tlv {name} is given twice")
        try:
            tlvs[name] = int(value) if integer else value
        except ValueError:
            raise click.UsageError(f"--tlv {one}: {value!r} is no integer") from None
    return tlvs


def as_options(text: str) -> str:
    """An error of the gateway in the words of the command line: the fields that it names as `to` are options here."""
    return _QUOTED.sub(lambda found: _OPTION_OF.get(found[1], found[0]), text)


_QUOTED = re.compile(r"`(\w+)`")
_OPTION_OF = {
    **{name: "--" + name.replace("_", "-") for name in (*_AS_THEY_ARE, "to", "from", "carrier", "udh", "alphabet")},
    "text": "TEXT",
    "smart_encoding": "--smart",
    "ports": "--port",
    "message_class": "--class",
}
