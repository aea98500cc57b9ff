"""What all commands share: exit codes, the connection to the gateway, and how results are shown.

On a terminal tables are drawn; elsewhere rows are lines with tabs between the columns, and --json gives the API's own
objects. Messages for people go to standard error. Nothing that came from outside reaches a terminal with its control
characters.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from types import TracebackType
from typing import IO, Any, Self, TypeVar
from urllib.parse import urlsplit

import click
import httpx

DEFAULT_URL = "http://127.0.0.1:8080"
_TIMEOUT_S = 60.0


class Exit(IntEnum):
    """The exit codes of every command."""

    OK = 0
    REFUSED = 1  # something was refused, not found, or failed
    USAGE = 2  # the command line or the configuration is wrong
    UNAVAILABLE = 3  # no gateway answers, or it cannot serve now
    UNAUTHORISED = 4  # the API key is missing or unknown


EXIT_CODES = """\b
Exit codes:
  0  all went well
  1  something was refused, not found, or failed
  2  the command line or the configuration is wrong
  3  no gateway answers, or it cannot serve now
  4  the API key is missing or unknown"""


class Failure(click.ClickException):
    """Ends the command: what is wrong and what to do on standard error, and an exit code."""

    def __init__(self, exit_code: Exit, message: str) -> None:
        super().__init__(message)
        self.exit_code = int(exit_code)  # type: ignore[misc]  # click: "class variable", set by its own subclasses too

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"smppgw: {clean(self.message, keep_lines=True)}", file=file, err=True)


F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")(command)


def gateway_options(command: F) -> F:
    """--url, --key and --json."""
    command = json_option(command)
    command = click.option(
        "--key",
        envvar="SMPPGW_KEY",
        show_envvar=True,
        metavar="KEY",
        help="API key. The environment is the better place: other users can see command lines.",
    )(command)
    return click.option(
        "--url", envvar="SMPPGW_URL", show_envvar=True, default=DEFAULT_URL, show_default=True, help="The gateway."
    )(command)


# ---------------------------------------------------------------------------------------------------------------- #
# The gateway
# ---------------------------------------------------------------------------------------------------------------- #


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        plain = url.isprintable() and " " not in url
        usable = plain and parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        httpx.URL(url)
    except (ValueError, httpx.InvalidURL):
        usable = False
    if not usable:
        raise Failure(Exit.USAGE, f"--url {url}: not a URL such as {DEFAULT_URL}")
    return url.rstrip("/")


class Gateway:
    """The HTTP API of a running gateway. Every way in which a call can fail ends in a Failure."""

    def __init__(self, url: str, key: str | None) -> None:
        if not key:
            raise Failure(Exit.UNAUTHORISED, "no API key: set SMPPGW_KEY or give --key (smppgw init printed one)")
        if not (key.isascii() and key.isprintable()):
            raise Failure(Exit.UNAUTHORISED, "the API key has characters that no key has")
        self._url = _checked_url(url)
        self._client = httpx.Client(
            base_url=self._url, headers={"Authorization": f"Bearer {key}"}, timeout=_TIMEOUT_S, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The answer of a GET."""
        try:
            response = self._client.get(path, params=dict(parameters or {}))
        except httpx.TransportError as error:
            raise self.unreachable(error) from None
        return self.answer(response)

    def post(self, path: str, body: Any, headers: Mapping[str, str]) -> httpx.Response:
        """The bare response: the caller decides whether to repeat. Raises httpx.TransportError."""
        content = json.dumps(body).encode("ascii")
        return self._client.post(path, content=content, headers={"Content-Type": "application/json", **headers})

    def answer(self, response: httpx.Response, *, also: frozenset[int] = frozenset()) -> dict[str, Any]:
        """The object in a response of status 200, 202 or one of `also`. Raises Failure for all others."""
        try:
            body = response.json()
        except ValueError:
            body = None
        if not isinstance(body, dict):
            text = f"{self._url} answers with status {response.status_code}, but not as smppgw does; is --url right?"
            raise Failure(Exit.UNAVAILABLE, text)
        if response.status_code in {200, 202} or (response.status_code in also and "error" not in body):
            return body
        raise _failure(response.status_code, body)

    def unreachable(self, error: httpx.TransportError) -> Failure:
        reason = str(error) or type(error).__name__
        return Failure(
            Exit.UNAVAILABLE, f"no gateway answers at {self._url} ({reason}); is `smppgw serve` running there?"
        )


def _failure(status: int, body: Mapping[str, Any]) -> Failure:
    error = body.get("error")
    text = f"status {status}"
    if isinstance(error, dict):
        text = f"{error.get('message')} ({error.get('code')})"
    if status == 401:
        return Failure(Exit.UNAUTHORISED, f"{text}; set SMPPGW_KEY or give --key")
    if status == 422:
        return Failure(Exit.USAGE, text)
    return Failure(Exit.UNAVAILABLE if status >= 500 else Exit.REFUSED, text)


def refuse_broken(*files: str) -> None:
    """Raises Failure for the first argument of the running command that is not UTF-8. `files`: parameters that name
    files, which may be so.

    Python makes lone surrogates of such octets (PEP 383). They are no characters: nobody can send or find them.
    """
    ctx = click.get_current_context()
    for parameter in ctx.command.params:
        given = None if parameter.name in files else ctx.params.get(parameter.name or "")
        for text in given if isinstance(given, tuple) else (given,):
            if isinstance(text, str) and (found := _LONE_SURROGATE.search(text)):
                code = ord(found[0])
                what = f"octet 0x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"U+{code:04X}"
                name = parameter.opts[0] if isinstance(parameter, click.Option) else parameter.human_readable_name
                raise Failure(Exit.USAGE, f"{name} is not UTF-8: {what} at position {found.start()} is no character")


_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def path_segment(text: str) -> str:
    """An id as typed, unable to lead to another path."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in text) or "_"


# ---------------------------------------------------------------------------------------------------------------- #
# Showing
# ---------------------------------------------------------------------------------------------------------------- #


def show_json(value: Any) -> None:
    """One line of JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace"))


#: Tables of up to so many columns fold their texts rather than turn into blocks.
_FEW_COLUMNS = 7


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """A table on a terminal, lines with tabs elsewhere. Where a terminal is too narrow, each row is a block. That
    there are no rows is said on standard error."""
    texts = [[cell(value) for value in row] for row in rows]
    if not texts:
        click.echo(f"{title}: none" if title else "none", err=True)
    if not sys.stdout.isatty():
        for line in [columns, *texts]:
            click.echo("\t".join(line))
        return
    if not texts:
        return
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if title:  # not the table's own: that is folded to the table's width
        console.print(Text(title, style="italic"))
    widths = [max(map(cell_len, column)) for column in zip(columns, *texts, strict=True)]
    if sum(widths) + 2 * len(widths) > console.width and len(columns) > _FEW_COLUMNS:
        for number, line in enumerate(texts):
            if number:
                click.echo()
            show_fields(dict(zip(columns, line, strict=True)))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for line in texts:
        table.add_row(*map(Text, line))
    console.print(table)


def show_fields(fields: Mapping[str, object]) -> None:
    """Names and values, one pair a line; absent values are left out."""
    shown = {name: cell(value) for name, value in fields.items() if value is not None}
    width = max(map(len, shown))
    for name, text in shown.items():
        click.echo(f"{name:<{width}}  {text}")


def cell(value: object) -> str:
    """A value as one line of text."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return " ".join(f"{name}={inner}" for name, inner in value.items()) or "-"
    return clean(str(value))


def clean(text: str, *, keep_lines: bool = False) -> str:
    """`text` with control and format characters made visible: what a stranger texted cannot steer the terminal."""
    return "".join(
        character if _harmless(character) or (keep_lines and character == "\n") else _escape(character)
        for character in text
    )


_JOINERS = "\u200c\u200d"  # zero width non-joiner and joiner: parts of words and emoji


def _harmless(character: str) -> bool:
    return unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} or character in _JOINERS


def _escape(character: str) -> str:
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(character, f"\\u{ord(character):04x}")
