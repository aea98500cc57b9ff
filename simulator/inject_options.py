"""The options of `smppgw-simulator inject`, and the order that they make.

Owns their names and their help. Refuses to read them: what a notation means, and what is wrong with it, is told by
the simulator that gets the order (injecting.py), so that orders from everywhere are told the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from simulator import charsets
from simulator.inbound import Command, Order
from simulator.injecting import LONG

F = TypeVar("F", bound=Callable[..., Any])

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType  # generic only from click 8.2 on

EXAMPLES = """\
\b
Examples, all through the simulator whose control port is 2776:
  smppgw-simulator inject --control 2776 --from 447700900001 --to 12345 "STOP"
      a text from a handset
  smppgw-simulator inject --control 2776 --from 447700900001 --to 12345 --max-octets 20 --order reverse --gap 2 \\
      "Long enough for two parts"
      in parts of 20 octets, the last one first, two seconds between them
  smppgw-simulator inject --control 2776 --from 447700900001 --to 12345 --long sar --missing 2 --max-octets 20 \\
      "The second part of this never comes"
  smppgw-simulator inject --control 2776 --from 447700900001 --to 12345 --alphabet iso8859_5 "Привет"
      in another character set; --data-coding tells another one than it is
  smppgw-simulator inject --control 2776 --from 447700900001 --to 12345 --octets 0601ae02056a --ports 2948:9200
      8-bit data to an application port
  smppgw-simulator inject --control 2776 --from 4477009{n:05} --to 12345 --count 1000 --per-s 50 "Vote {n}"
      a thousand texts, fifty a second, each from another number; `order --control 2776 stop_injecting` ends them
"""


class _Whole(_ParamType):
    """A number, also as 0x..."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return int(value, 0) if isinstance(value, str) else value
        except ValueError:
            self.fail(f"{value!r} is not a number", param, ctx)


class _Pair(_ParamType):
    """NAME=VALUE."""

    name = "pair"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple):
            return value
        name, found, written = value.partition("=")
        if not found or not name:
            self.fail(f"{value!r} is not NAME=VALUE", param, ctx)
        return name, written


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option("--from", "from", required=True, help="sender: a number or letters"),
    click.option("--to", "to", required=True, help="the ESME's number or short code"),
    click.option("--system-id", help="which ESME  [default: the first that can receive]"),
    click.option("--octets", metavar="HEX", help="instead of TEXT: 8-bit data, or what --data-coding says"),
    click.option("--alphabet", metavar="NAME", help=f"of the text: {', '.join(charsets.NAMES)}"),
    click.option("--data-coding", type=_Whole(), help="what is told, right or wrong; alone it says the alphabet too"),
    click.option("--message-class", type=_Whole(), help="0 for a flash message, to 3"),
    click.option(
        "--message-waiting", metavar="KIND", help="voicemail, fax, email, other; `fax,store,count=3`, `fax,off`"
    ),
    click.option(
        "--national", multiple=True, metavar="LANGUAGE", help="GSM-7 with its shift tables, where it needs them"
    ),
    click.option("--packed", is_flag=True, help="septets packed, as in the air"),
    click.option("--udh", metavar="HEX", help="a User Data Header of your own, with its length octet, on each part"),
    click.option("--ports", metavar="PORT[:SOURCE]", help="application ports, in the UDH"),
    click.option("--long", type=click.Choice(LONG), help="how parts are told to belong together"),
    click.option("--max-octets", type=_Whole(), help="of one part, UDH included  [default: 140]"),
    click.option("--torn", is_flag=True, help="cut through the middle of characters"),
    click.option("--reference", type=_Whole(), help="of the parts  [default: the next one]"),
    click.option("--order", metavar="ORDER", help=f"of the parts: {', '.join(Order)}, or 2,1,3"),
    click.option("--duplicate", metavar="PARTS", help="parts that are sent twice: 2 or 1,3"),
    click.option("--missing", metavar="PARTS", help="parts that are not sent"),
    click.option("--gap", "gap_s", type=float, metavar="SECONDS", help="between two parts"),
    click.option(
        "--as", "as", type=click.Choice([command.value for command in Command]), help="the PDU  [default: deliver_sm]"
    ),
    click.option("--esm-class", type=_Whole(), help="instead of what it has to be"),
    click.option(
        "--tlv", "tlvs", type=_Pair(), multiple=True, metavar="TAG=HEX", help="0x1403=3233, user_response_code=01"
    ),
    click.option("--source-ton", "source_tons", metavar="TONS", help="of the parts in turn: 1,0"),
    click.option("--field", "fields", type=_Pair(), multiple=True, metavar="NAME=VALUE", help="protocol_id=65; wins"),
    click.option("--count", type=_Whole(), help="so many texts; {n} in text and addresses is the number of each"),
    click.option("--per-s", type=float, metavar="RATE", help="texts a second  [default: as they are taken]"),
    click.argument("text", required=False),
)


def inject_options(command: F) -> F:
    """Gives a command the options of inject; what it gets by name, `inject_arguments` makes an order of."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def inject_arguments(options: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of the order `inject`: what was given."""
    arguments: dict[str, Any] = {}
    for name, value in options.items():
        if value is None or value is False or value == ():
            continue
        if name == "tlvs":
            tlvs: dict[str, list[str]] = {}
            for tag, octets in value:
                tlvs.setdefault(tag, []).append(octets)
            arguments[name] = tlvs
        elif name == "fields":
            arguments[name] = dict(value)
        else:
            arguments[name] = list(value) if isinstance(value, tuple) else value
    return arguments
