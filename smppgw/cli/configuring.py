"""Commands around the configuration: serve, check, init, key, profiles."""

from __future__ import annotations

import difflib
import itertools
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from smppgw.cli.common import Exit, F, Failure, json_option, show_json, show_table

if TYPE_CHECKING:
    from smppgw.config import Effective, Reading, Settings
    from smppgw.errors import ConfigError

DEFAULT_CONFIG = "smppgw.toml"


def _config_option(command: F) -> F:
    return click.option(
        "--config",
        "-c",
        envvar="SMPPGW_CONFIG",
        show_envvar=True,
        default=DEFAULT_CONFIG,
        show_default=True,
        type=click.Path(dir_okay=False, path_type=Path),
        help="The configuration file.",
    )(command)


@click.command()
@_config_option
@click.option("--json", "as_json", is_flag=True, help="Write the log as JSON, whatever log.format says.")
def serve(config: Path, as_json: bool) -> None:
    """Run the gateway until SIGTERM or Ctrl-C, then drain and stop. A second signal stops it at once (exit code 1).

    \b
    Examples:
      smppgw serve --config /etc/smppgw/smppgw.toml
      smppgw serve --json 2>> smppgw.log
    """
    import logging

    from smppgw import daemon
    from smppgw.config import LogFormat, load, warnings_of
    from smppgw.errors import ConfigError
    from smppgw.telemetry import log, set_up_logging

    try:
        settings = load(config)
        if as_json:
            settings = settings.model_copy(update={"log": settings.log.model_copy(update={"format": LogFormat.JSON})})
        set_up_logging(settings.log.level, settings.log.format)
        for warning in warnings_of(settings, config):
            log(logging.getLogger("smppgw.cli"), logging.WARNING, "config_warning", text=warning)
    except ConfigError as error:
        raise _unusable(config, error) from None
    raise click.exceptions.Exit(daemon.run(settings))


@click.command()
@click.argument("carriers", nargs=-1, metavar="[CARRIER]...")
@_config_option
@click.option(
    "--effective", is_flag=True, help="Print every value of every carrier and bind, and the line it came from."
)
@click.option("--changed", is_flag=True, help="As --effective, without what is at its default.")
@json_option
def check(carriers: tuple[str, ...], config: Path, effective: bool, changed: bool, as_json: bool) -> None:
    """Say whether the configuration can be used: every mistake at once, by key path. Opens no socket.

    With --effective, also print what each carrier (or each CARRIER given) ends up with once [defaults], its profile,
    its own table and those of its binds are merged. Passwords are not shown.

    \b
    Examples:
      smppgw check --config smppgw.toml
      smppgw check --effective demo
      smppgw check --changed | grep tlvs
      smppgw check --changed --json | jq '.effective[] | select(.profile)'
    """
    from smppgw.config import read, warnings_of
    from smppgw.errors import ConfigError

    if carriers and not (effective or changed):
        raise Failure(Exit.USAGE, "the whole file is checked at once; CARRIER goes with --effective or --changed")
    try:
        reading = read(config)
    except ConfigError as error:
        if not as_json:
            raise _unusable(config, error) from None
        more = error.more_may_follow
        show_json({"ok": False, "problems": error.problems, "more_may_follow": more, "warnings": []})
        raise click.exceptions.Exit(Exit.USAGE) from None
    settings = reading.settings
    warnings = warnings_of(settings, config)
    values = _values(reading, carriers, changed=changed) if effective or changed else None
    if as_json:
        shown = {"ok": True, "problems": [], "more_may_follow": False, "warnings": warnings}
        show_json(shown if values is None else {**shown, "effective": [value._asdict() for value in values]})
        return
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    if values is not None:
        _show_values(values)
        return
    counts = ((settings.accounts, "account"), (settings.carriers, "carrier"), (settings.routes, "route"))
    click.echo(f"{config}: OK: " + ", ".join(f"{len(held)} {name}{'s'[: len(held) != 1]}" for held, name in counts))


def _values(reading: Reading, names: tuple[str, ...], *, changed: bool) -> list[Effective]:
    from smppgw.config import effective

    known = reading.settings.carriers
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise Failure(Exit.USAGE, f"no carrier {name}; {hint}")
    values = [value for name in names or known for value in effective(reading, name)]
    return [value for value in values if value.file is not None] if changed else values


def _show_values(values: list[Effective]) -> None:
    """On a terminal one table for each carrier and bind; elsewhere one line for each value."""
    from smppgw.config import toml_value

    def text(value: Effective) -> str:
        return value.value if value.secret else "" if value.value is None else toml_value(value.value)

    if not sys.stdout.isatty():
        show_table(
            ("link", "setting", "value", "from"),
            [(value.link, value.setting, text(value), value.origin) for value in values],
        )
        return
    for number, (link, held) in enumerate(itertools.groupby(values, key=lambda value: value.link)):
        if number:
            click.echo()
        table = [(value.setting, text(value), value.origin) for value in held]
        show_table(("setting", "value", "from"), table, title=link)


def settings_of(config: Path) -> Settings:
    """The settings in the file, as far as it says them itself: no secrets, no files that it names. Raises Failure
    with every mistake."""
    from smppgw.config import load
    from smppgw.errors import ConfigError

    try:
        return load(config, only_text=True)
    except ConfigError as error:
        raise _unusable(config, error) from None


def _unusable(config: Path, error: ConfigError) -> Failure:
    problems = error.problems
    count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
    if error.more_may_follow:
        count += " (more may follow: what depends on these is looked at once they are gone)"
    return Failure(Exit.USAGE, f"{config} cannot be used, {count}:\n" + "\n".join(f"  {text}" for text in problems))


@click.command()
@click.argument("path", default=DEFAULT_CONFIG, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@json_option
def init(path: Path, force: bool, as_json: bool) -> None:
    """Write a commented configuration with a fresh API key to PATH, readable by its owner only.

    The key is shown once; the file holds only its hash.

    \b
    Examples:
      smppgw init
      smppgw init /etc/smppgw/smppgw.toml --force
    """
    from smppgw.api.auth import generate_key, hash_key
    from smppgw.cli.sample import sample_config

    key = generate_key()
    text = sample_config(hash_key(key))
    try:
        (_replace if force else _create)(path, text)
    except FileExistsError:
        raise Failure(Exit.USAGE, f"{path} exists; choose another path, or --force to replace it") from None
    except OSError as error:
        raise Failure(Exit.USAGE, f"{path} cannot be written: {error.strerror}") from None
    if as_json:
        show_json({"path": str(path), "key": key, "key_hash": hash_key(key)})
        return
    click.echo(f"wrote {path}")
    click.echo(f"API key, shown only now: {key}")
    click.echo(f"next: smppgw check --config {path}, then smppgw serve --config {path}", err=True)


def _create(path: Path, text: str) -> None:
    """Never replaces a file, even one that appears at this moment."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def _replace(path: Path, text: str) -> None:
    """All or nothing, by a file beside it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _create(beside, text)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@click.command()
@click.option("--hash", "hash_given", is_flag=True, help="Hash the key on standard input instead of making one.")
@json_option
def key(hash_given: bool, as_json: bool) -> None:
    """Make an API key; print it, and its hash for key_hashes in the configuration.

    \b
    Examples:
      smppgw key
      pass show smppgw | smppgw key --hash
    """
    from smppgw.api.auth import generate_key, hash_key

    made = sys.stdin.readline().strip() if hash_given else generate_key()
    if not made:
        raise Failure(Exit.USAGE, "no key on standard input")
    shown = {"key_hash": hash_key(made)} if hash_given else {"key": made, "key_hash": hash_key(made)}
    if as_json:
        show_json(shown)
        return
    for name, text in shown.items():
        click.echo(f"{name}  {text}" if len(shown) > 1 else text)


@click.command()
@click.argument("name", required=False)
@json_option
def profiles(name: str | None, as_json: bool) -> None:
    """List the profiles that come with smppgw, or print the one called NAME as TOML, to use or to copy from.

    \b
    Examples:
      smppgw profiles
      smppgw profiles kannel
    """
    from smppgw.config import shipped, shipped_text

    known = shipped()
    if name is None:
        rows = [(one, _purpose(shipped_text(one))) for one in known]
        if as_json:
            show_json({"profiles": [{"name": one, "for": purpose} for one, purpose in rows]})
        else:
            show_table(("name", "for"), rows)
        return
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise Failure(Exit.USAGE, f"no profile {name}; {hint}")
    if as_json:
        show_json({"name": name, "for": _purpose(shipped_text(name)), "settings": known[name].table})
    else:
        click.echo(shipped_text(name), nl=False)


def _purpose(text: str) -> str:
    comments = itertools.takewhile(lambda line: line.startswith("#"), text.splitlines())
    return " ".join(line.removeprefix("#").strip() for line in comments)


COMMANDS: tuple[click.Command, ...] = (serve, check, init, key, profiles)
