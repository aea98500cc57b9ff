"""One TOML file to typed settings: every mistake at once, by key path."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import phonenumbers
from pydantic import ValidationError

from smppgw import addresses
from smppgw.config.base import NAME, SettingsBase
from smppgw.config.lines import Lines
from smppgw.config.resolving import CARRIER_SECTIONS, Carrier, Resolver
from smppgw.config.secrets import Secrets
from smppgw.config.settings import (
    AccountSettings,
    HttpSettings,
    LogSettings,
    RouteSettings,
    Settings,
    StoreSettings,
)
from smppgw.config.together import check_alike, check_ports
from smppgw.config.words import Report, explain, key_path, near, toml_key, toml_type, unknown_key
from smppgw.errors import ConfigError, Refusal

#: Where each section's keys stand, for "known in ..." hints.
SECTIONS: dict[str, type[SettingsBase]] = {
    "http": HttpSettings,
    "store": StoreSettings,
    "log": LogSettings,
    "accounts.NAME": AccountSettings,
    **CARRIER_SECTIONS,
    "routes": RouteSettings,
}

M = TypeVar("M", bound=SettingsBase)


class Reading(NamedTuple):
    """A file that can be used. `carriers` has where each value of a carrier and of its binds comes from."""

    settings: Settings
    carriers: dict[str, Carrier]


def load(path: Path | str, environ: Mapping[str, str] = os.environ, *, only_text: bool = False) -> Settings:
    """The settings in the TOML file at `path`, secrets resolved, relative paths resolved to its folder.

    `only_text`: what the file itself says is enough. Passwords from elsewhere stay empty, and neither they nor the
    files of TLS and the folder of the store need be there: for who plans with the settings and connects nowhere.

    Raises ConfigError with every mistake of the file, one problem each, led by its key path.
    """
    return read(path, environ, only_text=only_text).settings


def read(path: Path | str, environ: Mapping[str, str] = os.environ, *, only_text: bool = False) -> Reading:
    """What `load` gives, and where it comes from. Raises ConfigError as `load` does."""
    file = Path(path)
    table, lines = _table(file)
    return _Reader(file, table, lines, environ, only_text).read()


def _table(file: Path) -> tuple[dict[str, Any], Lines]:
    try:
        text = file.read_bytes().decode("utf-8")
        return tomllib.loads(text), Lines.of(text)
    except FileNotFoundError:
        raise ConfigError([f"{file}: no such file; `smppgw init {file}` writes one"]) from None
    except OSError as error:
        raise ConfigError([f"{file}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{file}: not UTF-8: octet 0x{error.object[error.start]:02x} at {error.start}"]) from None
    except RecursionError:
        raise ConfigError([f"{file}: not TOML that can be read: nested too deeply"]) from None
    except ValueError as error:  # TOMLDecodeError says line and column; int() refuses numbers of thousands of digits
        raise ConfigError([f"{file}: not TOML: {error}"]) from None


class _Reader:
    """Reads section by section, so that one bad section hides no mistake of another."""

    def __init__(
        self, file: Path, table: dict[str, Any], lines: Lines, environ: Mapping[str, str], only_text: bool
    ) -> None:
        self._folder = file.absolute().parent
        self._only_text = only_text
        self._table = table
        self._report = Report()
        self._resolver = Resolver(
            table,
            lines,
            file=file.name,
            folder=None if only_text else self._folder,
            secrets=Secrets(None if only_text else self._folder, environ, self._report),
            report=self._report,
        )

    def read(self) -> Reading:
        table = self._table
        self._unknown_keys(table)
        http = self._section(HttpSettings, table.get("http", {}), "http")
        store = self._section(StoreSettings, table.get("store", {}), "store")
        log = self._section(LogSettings, table.get("log", {}), "log")
        accounts = {
            name: self._section(AccountSettings, item, f"accounts.{toml_key(name)}")
            for name, item in self._named(table, "accounts").items()
        }
        carriers = {name: self._resolver.carrier(name, item) for name, item in self._named(table, "carriers").items()}
        routes = self._routes(table.get("routes", []))
        if http and store and http.max_batch > store.max_waiting_accepts:
            self._problem("store.max_waiting_accepts", "below http.max_batch: a full batch could never be accepted")
        store = store and self._resolved_store(store)
        self._check_accounts(accounts)
        sound = {name: carrier for name, carrier in carriers.items() if carrier}
        if http:
            self._check_ports(http, sound)
        self._check_routes(routes, accounts=set(accounts), carriers=set(carriers), sound=sound)
        if self._report.problems or not (http and store and log):
            parts = (http, store, log, *accounts.values(), *carriers.values(), *routes)
            raise ConfigError(self._report.problems, more_may_follow=any(part is None for part in parts))
        settings = Settings.model_construct(
            http=http,
            store=store,
            log=log,
            accounts={name: account for name, account in accounts.items() if account},
            defaults=table.get("defaults", {}),
            profiles=table.get("profiles", {}),
            carriers={name: carrier.settings for name, carrier in sound.items()},
            routes=[route for route in routes if route],
        )
        return Reading(settings, sound)

    def _problem(self, key: str, text: str) -> None:
        self._report.add(key, text)

    # -- structure ------------------------------------------------------------------------------------------------ #

    def _unknown_keys(self, table: dict[str, Any]) -> None:
        for key in sorted(table.keys() - Settings.model_fields.keys()):
            hint = near(key, Settings.model_fields)  # [profile.x] means [profiles.x], not the key of a carrier
            self._problem(toml_key(key), "unknown key" + hint if hint else unknown_key(key, Settings, SECTIONS))

    def _section(self, model: type[M], value: object, path: str) -> M | None:
        if not isinstance(value, dict):
            self._problem(path, f"must be a table, not {toml_type(value)}")
            return None
        try:
            return model.model_validate(value)
        except ValidationError as error:
            for _, _, key, text in explain(error, model, path, SECTIONS):
                self._problem(key, text)
            return None

    def _named(self, table: dict[str, Any], section: str) -> dict[str, dict[str, Any]]:
        """The tables under [section], by name."""
        value = table.get(section, {})
        if not isinstance(value, dict) or not all(isinstance(item, dict) for item in value.values()):
            self._problem(section, f"must hold one table for each name: [{section}.NAME]")
            return {}
        if not value:
            self._problem(section, f"at least one is needed: [{section}.NAME]")
        for name in value:
            if not NAME.fullmatch(name):
                self._problem(f"{section}.{toml_key(name)}", "a name has 1 to 32 letters, digits, '_', '-' or '.'")
        return value

    def _routes(self, value: object) -> list[RouteSettings | None]:
        if not isinstance(value, list):
            self._problem("routes", "must be a list of tables: [[routes]]")
            return []
        return [self._section(RouteSettings, item, f"routes[{index}]") for index, item in enumerate(value)]

    # -- combinations --------------------------------------------------------------------------------------------- #

    def _resolved_store(self, store: StoreSettings) -> StoreSettings:
        path = self._folder / store.path
        if self._only_text:
            return store.model_copy(update={"path": path})
        if path.is_dir():
            self._problem("store.path", f"{path} is a folder, not a file")
        elif not path.parent.is_dir():
            self._problem("store.path", f"the folder {path.parent} does not exist")
        return store.model_copy(update={"path": path})

    def _check_accounts(self, accounts: Mapping[str, AccountSettings | None]) -> None:
        owners: dict[str, str] = {}
        for name, account in accounts.items():
            if account is None:
                continue
            path = f"accounts.{toml_key(name)}"
            self._check_account(account, path)
            for index, key_hash in enumerate(account.key_hashes):
                owner = owners.setdefault(key_hash, f"{path}.key_hashes[{index}]")
                if owner != f"{path}.key_hashes[{index}]":
                    self._problem(
                        f"{path}.key_hashes[{index}]", f"the same key as {owner}; every key has one account"
                    )

    def _check_account(self, account: AccountSettings, path: str) -> None:
        if account.default_validity_s > account.max_validity_s:
            self._problem(
                f"{path}.default_validity_s",
                f"{account.default_validity_s:g} is above max_validity_s, {account.max_validity_s:g}",
            )
        region = account.default_region
        if region is not None and region not in phonenumbers.SUPPORTED_REGIONS:
            self._problem(f"{path}.default_region", f"{region} is no region with telephone numbers")
            region = None
        if account.default_sender is not None:
            try:
                addresses.sender(account.default_sender, default_region=region)
            except Refusal as refusal:
                self._problem(f"{path}.default_sender", refusal.text)

    def _check_ports(self, http: HttpSettings, carriers: Mapping[str, Carrier]) -> None:
        def where(name: str, key: str) -> str:
            path = tuple(key.split("."))
            layer = carriers[name].merged.origin(path)
            return layer.key(path) if layer else key_path(f"carriers.{toml_key(name)}", path)

        settings = {name: carrier.settings for name, carrier in carriers.items()}
        check_ports(settings, (http.host, http.port), where, self._report)

    def _check_routes(
        self,
        routes: list[RouteSettings | None],
        *,
        accounts: set[str],
        carriers: set[str],
        sound: Mapping[str, Carrier],
    ) -> None:
        if not routes and len(carriers) > 1:
            self._problem("routes", "with more than one carrier, at least one [[routes]] must say which gets what")
        settings = {name: carrier.settings for name, carrier in sound.items()}
        for index, route in enumerate(routes):
            if route is None:
                continue
            path = f"routes[{index}]"
            for position, name in enumerate(route.carriers):
                key = f"{path}.carriers[{position}]"
                if name not in carriers:
                    self._problem(key, f"no carrier {name}" + near(name, carriers))
                elif name in route.carriers[:position]:
                    self._problem(key, f"{name} is listed twice")
            for position, name in enumerate(route.accounts):
                if name not in accounts:
                    self._problem(f"{path}.accounts[{position}]", f"no account {name}" + near(name, accounts))
            names = [name for name in dict.fromkeys(route.carriers) if name in settings]
            for text in check_alike(names, settings) if names else ():
                self._problem(f"{path}.carriers", text)
