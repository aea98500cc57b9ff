"""Commands around the configuration: serve, check, init, key."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from smppgw.cli.common import Exit, F, Failure, json_option, show_json

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
        raise _unusable(config, error.problems) from None
    raise click.exceptions.Exit(daemon.run(settings))


@click.command()
@_config_option
@json_option
def check(config: Path, as_json: bool) -> None:
    """Say whether the configuration can be used: every mistake at once, by key path. Opens no socket.

    \b
    Example:
      smppgw check --config smppgw.toml
    """
    from smppgw.config import load, warnings_of
    from smppgw.errors import ConfigError

    try:
        settings = load(config)
    except ConfigError as error:
        if not as_json:
            raise _unusable(config, error.problems) from None
        show_json({"ok": False, "problems": error.problems, "warnings": []})
        raise click.exceptions.Exit(Exit.USAGE) from None
    warnings = warnings_of(settings, config)
    if as_json:
        show_json({"ok": True, "problems": [], "warnings": warnings})
        return
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    counts = ((settings.accounts, "account"), (settings.carriers, "carrier"), (settings.routes, "route"))
    click.echo(f"{config}: OK: " + ", ".join(f"{len(held)} {name}{'s'[: len(held) != 1]}" for held, name in counts))


def _unusable(config: Path, problems: list[str]) -> Failure:
    count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
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


COMMANDS: tuple[click.Command, ...] = (serve, check, init, key)
