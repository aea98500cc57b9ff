"""What a message is made of: the options of `send` and `segments` that say it, and the fields of an item they become.

Owns where the content comes from: an argument, standard input, octets, a WAP push. Refuses to judge it: what fits
together, and what a carrier takes, is said by the gateway, by name.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from smppgw.cli.common import Exit, F, Failure

#: As the API names them.
ALPHABETS = ("gsm7", "ucs2", "latin1", "ascii")
ON_UNENCODABLE = ("ucs2", "transliterate", "refuse")
WAITING_KINDS = ("voicemail", "fax", "email", "other")

_HEADING = "Content"


def _octet(ctx: click.Context, option: click.Parameter, given: str | None) -> int | None:
    """0 to 255, in decimal or as 0xf5."""
    if given is None:
        return None
    try:
        number = int(given, 0)
    except ValueError:
        number = -1
    if not 0 <= number <= 255:
        raise click.BadParameter(f"{given!r} is no number from 0 to 255, such as 8 or 0xf5", ctx, option)
    return number


class Option(click.Option):
    """An option that help shows under a heading of its own."""

    def __init__(self, *names: Any, heading: str = "", **settings: Any) -> None:
        super().__init__(*names, **settings)
        self.heading = heading


class Command(click.Command):
    """A command of many options: help lists them under their headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for option in self.get_params(ctx):
            record = option.get_help_record(ctx)
            if record is not None and isinstance(option, click.Option):
                heading = option.heading if isinstance(option, Option) else ""
                sections.setdefault(heading or "Options", []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)


def content_options(command: F) -> F:
    """The options behind `content_fields` and `body_of`."""
    for names, settings in reversed(_OPTIONS):
        command = click.option(*names, cls=Option, heading=_HEADING, **settings)(command)
    return command


_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (
        ("--alphabet",),
        {"type": click.Choice(ALPHABETS), "help": "This alphabet or none; left out, what needs the fewest segments."},
    ),
    (
        ("--smart/--no-smart",),
        {
            "default": None,
            "help": "Replace typographic quotes, dashes and the like where that avoids UCS-2; the account's "
            "smart_encoding says what happens otherwise. What was replaced is told.",
        },
    ),
    (
        ("--on-unencodable",),
        {
            "type": click.Choice(ON_UNENCODABLE),
            "help": "What only UCS-2 could carry, of all that the carrier takes: send it so, transliterate it (and "
            "tell), or refuse it.",
        },
    ),
    (("--flash",), {"is_flag": True, "help": "Shown at once and not kept: --class 0."}),
    (("--class", "message_class"), {"type": click.IntRange(0, 3), "help": "Message class."}),
    (("--octets",), {"metavar": "HEX", "help": "A binary message in place of TEXT."}),
    (
        ("--data-coding",),
        {
            "callback": _octet,
            "metavar": "0-255",
            "help": "data_coding of --octets, such as 0xf5; left out, the carrier's for binary.",
        },
    ),
    (("--udh",), {"metavar": "HEX", "help": "A UDH of your own, with its length octet."}),
    (("--port",), {"type": click.IntRange(0, 65535), "help": "Application port that the message is for."}),
    (
        ("--source-port",),
        {"type": click.IntRange(0, 65535), "help": "Application port it comes from; with --port."},
    ),
    (
        ("--waiting",),
        {
            "type": click.Choice(WAITING_KINDS),
            "help": "Message waiting indication: turn this one on. TEXT may be ''.",
        },
    ),
    (("--waiting-off",), {"is_flag": True, "help": "Turn it off; without --waiting-count, or with 0."}),
    (("--waiting-store",), {"is_flag": True, "help": "The handset keeps the text."}),
    (("--waiting-count",), {"type": click.IntRange(0, 255), "help": "How many wait; not 0 unless --waiting-off."}),
    (("--wap-push",), {"metavar": "URL", "help": "A WAP push to this address; TEXT is what the handset shows."}),
    (
        ("--wap-kind",),
        {
            "type": click.Choice(("si", "sl")),
            "help": "Service indication (the usual one), or service loading, which has no TEXT.",
        },
    ),
    (("--wap-action",), {"metavar": "ACTION", "help": "Such as signal-high, or execute-low with sl."}),
    (("--wap-id",), {"metavar": "ID", "help": "A later service indication of the same id replaces this one."}),
)


def content_fields(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an item beside its text, octets or WAP push, as far as the options give any."""
    if given["wap_push"] is None and any(given[name] is not None for name in ("wap_kind", "wap_action", "wap_id")):
        raise click.UsageError("the other --wap options need --wap-push URL")
    fields = {
        "alphabet": given["alphabet"],
        "smart_encoding": given["smart"],
        "on_unencodable": given["on_unencodable"],
        "message_class": _message_class(given),
        "message_waiting": _waiting(given),
        "ports": _ports(given),
        "udh": _hexadecimal(given["udh"]),
        "data_coding": given["data_coding"],
    }
    return {name: value for name, value in fields.items() if value is not None}


def _message_class(given: Mapping[str, Any]) -> int | None:
    number: int | None = given["message_class"]
    if not given["flash"]:
        return number
    if number:
        raise click.UsageError("--flash is --class 0; leave one of the two out")
    return 0


def _waiting(given: Mapping[str, Any]) -> dict[str, Any] | None:
    rest = {
        "active": False if given["waiting_off"] else None,
        "store": given["waiting_store"] or None,
        "count": given["waiting_count"],
    }
    fields = {name: value for name, value in rest.items() if value is not None}
    if given["waiting"] is not None:
        return {"kind": given["waiting"], **fields}
    if fields:
        raise click.UsageError("what waits? the other --waiting options need --waiting KIND")
    return None


def _ports(given: Mapping[str, Any]) -> dict[str, int] | None:
    port, source = given["port"], given["source_port"]
    if port is None:
        if source is not None:
            raise click.UsageError("--source-port needs --port, the one that the message is for")
        return None
    return {"destination": port} if source is None else {"destination": port, "source": source}


def _hexadecimal(text: str | None) -> str | None:
    """As typed or copied, without the spaces between octets."""
    return None if text is None else "".join(text.split())


def brings_content(given: Mapping[str, Any]) -> bool:
    """Whether the options themselves say what is sent, in place of a text."""
    return given["octets"] is not None or given["wap_push"] is not None


def body_of(text: str | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is sent, as the one field of an item that has it. Reads standard input where TEXT is left out."""
    octets, url = given["octets"], given["wap_push"]
    if octets is not None and url is not None:
        raise click.UsageError("--octets and --wap-push are two messages")
    if url is not None:
        return {"wap_push": _wap_push(text, given)}
    if octets is not None:
        if text is not None:
            raise click.UsageError("--octets is sent in place of TEXT; leave one of the two out")
        return {"octets": _hexadecimal(octets)}
    if text is None and given["waiting"] is not None and sys.stdin.isatty():
        return {"text": ""}
    return {"text": read_text(text)}


def _wap_push(text: str | None, given: Mapping[str, Any]) -> dict[str, str]:
    kind = given["wap_kind"] or "si"
    if kind == "sl" and text is not None:
        raise click.UsageError("service loading (--wap-kind sl) has no TEXT")
    shown = None if kind == "sl" else read_text(text)
    push = {
        "kind": kind, "url": given["wap_push"], "text": shown, "action": given["wap_action"], "id": given["wap_id"]
    }  # fmt: skip
    return {name: value for name, value in push.items() if value is not None}


def read_text(given: str | None) -> str:
    """TEXT, or standard input where it is left out or "-", without the line end that `echo` adds."""
    if given is not None and given != "-":
        return given
    if given is None and sys.stdin.isatty():
        raise click.UsageError("what is the text? give it as an argument, or on standard input")
    octets = sys.stdin.buffer.read()
    try:
        return octets.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise Failure(Exit.USAGE, f"standard input is not UTF-8: octet {error.start}") from None
