"""One TOML file to typed settings.

Every limit, default and unit lives in a settings field here; `smppgw init`, `smppgw check`, conf/ and the docs are
checked against them. Owns reading and checking, secrets included; opens no socket and no store.
"""

from __future__ import annotations

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, TypeVar

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import PydanticCustomError

from smppgw import addresses
from smppgw.errors import ConfigError, Refusal


class SettingsBase(BaseModel):
    """What all sections share: unknown keys refused, no silent conversion of types, read-only once loaded."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


_HOST_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
_HOST_NAME_OCTETS = 253  # RFC 1035, 2.3.4, without the octets for lengths


def _host(text: str) -> str:
    """Refuses what the resolver could not even be asked for. Names beyond ASCII count as they are looked up."""
    try:
        ip_address(text)
    except ValueError:
        pass
    else:
        return text
    try:
        name = text.encode("idna").decode("ascii")
    except UnicodeError:
        name = ""
    if not _HOST_NAME.fullmatch(name) or len(name.rstrip(".")) > _HOST_NAME_OCTETS:
        raise PydanticCustomError("host", "is neither a host name nor an IP address")
    return text


Host = Annotated[str, Field(min_length=1), AfterValidator(_host)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}\z")]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
KeyHash = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}\z")]
Prefix = Annotated[str, Field(pattern=r"^\+?[1-9][0-9]{0,14}\z")]
FilePath = Annotated[Path, Field(strict=False)]


class BindMode(StrEnum):
    TRANSCEIVER = "transceiver"
    PAIR = "pair"  # a transmitter and a receiver


class OnDoubt(StrEnum):
    HOLD = "hold"
    RESEND = "resend"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class HttpSettings(SettingsBase):
    """The HTTP API."""

    host: Host = Field(default="127.0.0.1", description="address to listen on")
    port: Port = Field(default=8080, description="port to listen on; 0 takes a free one")
    max_body_octets: int = Field(
        default=4_194_304, ge=1024, description="largest request body, in octets; above it 413"
    )
    max_batch: int = Field(default=1000, ge=1, le=10_000, description="most messages in one POST /v1/messages")
    keep_alive_s: Seconds = Field(default=75.0, description="idle time after which a keep-alive connection is closed")
    stop_s: Seconds = Field(default=15.0, description="at stop, how long requests that are under way may still take")


class StoreSettings(SettingsBase):
    """The embedded store."""

    path: FilePath = Field(
        default=Path("smppgw.db"), description="SQLite file; relative to the folder of the config file"
    )
    max_waiting_accepts: int = Field(
        default=100_000, ge=1, description="most messages waiting for their commit; above it 503 with Retry-After"
    )
    sweep_interval_s: Seconds = Field(
        default=1.0, description="how often deadlines (validity, receipts, doubt) are looked at"
    )


class LogSettings(SettingsBase):
    """The log, on standard error."""

    level: str = Field(
        default="info", pattern=r"^(debug|info|warning|error)\z", description="least severe level that is written"
    )
    format: LogFormat = Field(
        default=LogFormat.TEXT, strict=False, description="text (one line, key=value) or json (one object a line)"
    )


class AccountSettings(SettingsBase):
    """An upstream app."""

    key_hashes: list[KeyHash] = Field(
        min_length=1, description="hashes of this account's API keys; `smppgw init` and `smppgw key` print them"
    )
    default_sender: str | None = Field(default=None, description="sender of messages that name none")
    default_region: str | None = Field(
        default=None,
        pattern=r"^[A-Z]{2}\z",
        description="ISO 3166 region of recipients typed without country code, such as GB",
    )
    strict_numbers: bool = Field(default=False, description="accept only numbers that are valid, not just possible")
    max_segments: int = Field(default=10, ge=1, le=255, description="most segments of one message; more are refused")
    default_validity_s: Seconds = Field(default=172_800.0, description="validity of messages that name none")
    max_validity_s: Seconds = Field(default=604_800.0, description="longest validity a message may ask for")
    default_lane: str = Field(
        default="transactional",
        pattern=r"^(otp|transactional|bulk)\z",
        description="lane of messages that name none: otp, transactional or bulk",
    )


class TimerSettings(SettingsBase):
    """The timers of SMPP 3.4, section 7.2, and of the connection."""

    connect_s: Seconds = Field(default=10.0, description="time for the TCP connection")
    session_init_s: Seconds = Field(default=10.0, description="time for the answer to the bind request")
    enquire_link_s: float = Field(
        default=30.0, ge=0, description="silence after which we send enquire_link; 0 sends none"
    )
    response_s: Seconds = Field(
        default=30.0, description="time for an answer; enquire_link unanswered for so long is a dead link"
    )
    inactivity_s: float = Field(
        default=0.0, ge=0, description="time without messages after which we unbind; 0 is never"
    )
    stop_s: Seconds = Field(default=10.0, description="at stop, how long to wait for the answers that are still out")


class ReconnectSettings(SettingsBase):
    """Pauses between attempts to connect."""

    first_s: Seconds = Field(default=1.0, description="pause before the first reconnect")
    factor: float = Field(default=2.0, ge=1, description="growth of the pause")
    max_s: Seconds = Field(default=60.0, description="longest pause")
    jitter: float = Field(default=0.3, ge=0, le=1, description="share of the pause that is random")


class RetrySettings(SettingsBase):
    """For segments the carrier refused for now (ESME_RTHROTTLED and ESME_RMSGQFUL are not counted)."""

    first_s: Seconds = Field(default=5.0, description="pause before the first retry")
    factor: float = Field(default=3.0, ge=1, description="growth of the pause")
    max_s: Seconds = Field(default=900.0, description="longest pause")
    max_attempts: int = Field(default=8, ge=1, description="refusals after which the segment has failed")


class CarrierSettings(SettingsBase):
    """One SMPP account at an SMSC.

    `password` holds the secret itself once `load` is through, wherever it came from.
    """

    host: Host = Field(description="name or address of the SMSC, looked up at each connect")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(default=2775, description="port of the SMSC")
    system_id: str = Field(min_length=1, max_length=15, description="our name at the SMSC")
    password: SecretStr = Field(
        default=SecretStr(""), description="password in clear; prefer password_env or password_file"
    )
    password_env: str | None = Field(
        default=None, min_length=1, description="environment variable that holds the password"
    )
    password_file: FilePath | None = Field(
        default=None, description="file whose first line is the password; relative to the folder of the config file"
    )
    system_type: str = Field(default="", max_length=12, description="system_type of the bind")
    address_range: str = Field(default="", max_length=40, description="address_range of the bind")
    mode: BindMode = Field(
        default=BindMode.TRANSCEIVER, strict=False, description="transceiver, or pair: a transmitter and a receiver"
    )
    binds: int = Field(default=1, ge=1, le=64, description="how many binds (or pairs) are held")
    window: int = Field(default=100, ge=1, le=10_000, description="most unanswered submit_sm per bind")
    rate_per_s: float = Field(default=0.0, ge=0, description="submit_sm per second and bind; 0 is no limit of ours")
    burst: int = Field(default=1, ge=1, description="submit_sm that may leave at once after a pause, with rate_per_s")
    throttle_pause_s: Seconds = Field(default=1.0, description="pause of the bind after ESME_RTHROTTLED")
    queue_full_delay_s: Seconds = Field(default=30.0, description="delay of a recipient after ESME_RMSGQFUL")
    queue_full_recipients: int = Field(
        default=5,
        ge=2,
        description="recipients with ESME_RMSGQFUL within queue_full_span_s that slow the bind as well",
    )
    queue_full_span_s: Seconds = Field(default=10.0, description="the short time for queue_full_recipients")
    receipts: bool = Field(default=True, description="ask for delivery receipts")
    receipt_timeout_s: Seconds = Field(
        default=86_400.0, description="after a message's validity, how long to wait for its receipt"
    )
    on_doubt: OnDoubt = Field(
        default=OnDoubt.HOLD,
        strict=False,
        description="what to do with a submit_sm that was written but not answered: hold, or resend after the pauses "
        "of retry, up to max_attempts copies",
    )
    doubt_match_s: Seconds = Field(
        default=3600.0, description="how long a receipt may resolve a doubt by its addresses"
    )
    doubt_timeout_s: Seconds = Field(default=86_400.0, description="after this time in doubt a segment is unknown")
    max_pending_receipts: int = Field(
        default=20_000,
        ge=1,
        description="most receipts and inbound texts waiting for their commit; more are answered ESME_RX_T_APPN, "
        "on which the SMSC keeps them and brings them again",
    )
    timers: TimerSettings = Field(default=TimerSettings(), description="the timers of the session")
    reconnect: ReconnectSettings = Field(default=ReconnectSettings(), description="pauses between connects")
    retry: RetrySettings = Field(default=RetrySettings(), description="pauses between attempts of a segment")


class RouteSettings(SettingsBase):
    """Recipients to carriers; the first route that fits decides."""

    carrier: Name = Field(description="a name under [carriers]")
    prefixes: list[Prefix] = Field(default=[], description="E.164 prefixes such as +44; empty fits all")
    accounts: list[Name] = Field(default=[], description="accounts this route is for; empty is all")


class Settings(SettingsBase):
    """The whole file."""

    http: HttpSettings = Field(default=HttpSettings(), description="the HTTP API")
    store: StoreSettings = Field(default=StoreSettings(), description="the embedded store")
    log: LogSettings = Field(default=LogSettings(), description="the log, on standard error")
    accounts: dict[Name, AccountSettings] = Field(description="upstream apps, by name")
    carriers: dict[Name, CarrierSettings] = Field(description="SMPP accounts at SMSCs, by name")
    routes: list[RouteSettings] = Field(default=[], description="none: all goes to the only carrier")


# ---------------------------------------------------------------------------------------------------------------- #
# Loading
# ---------------------------------------------------------------------------------------------------------------- #

#: Where each section's keys stand, for "known in ..." hints.
SECTIONS: dict[str, type[SettingsBase]] = {
    "http": HttpSettings,
    "store": StoreSettings,
    "log": LogSettings,
    "accounts.NAME": AccountSettings,
    "carriers.NAME": CarrierSettings,
    "carriers.NAME.timers": TimerSettings,
    "carriers.NAME.reconnect": ReconnectSettings,
    "carriers.NAME.retry": RetrySettings,
    "routes": RouteSettings,
}

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_SECRETS = ("password", "password_env", "password_file")
_PASSWORD_OCTETS = 8  # SMPP 3.4, 4.1.1: a C-octet string of at most 9, NUL included

M = TypeVar("M", bound=SettingsBase)


def load(path: Path | str, environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings in the TOML file at `path`, secrets resolved, relative paths resolved to its folder.

    Raises ConfigError with every mistake of the file, one problem each, led by its key path.
    """
    file = Path(path)
    return _Reader(file.absolute().parent, environ).settings(_table(file))


def _table(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8"))
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

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = environ
        self._problems: list[str] = []

    def settings(self, table: dict[str, Any]) -> Settings:
        self._unknown_keys(table)
        http = self._section(HttpSettings, table.get("http", {}), "http")
        store = self._section(StoreSettings, table.get("store", {}), "store")
        log = self._section(LogSettings, table.get("log", {}), "log")
        accounts = self._named(AccountSettings, table, "accounts")
        carriers = self._named(CarrierSettings, table, "carriers")
        routes = self._routes(table.get("routes", []))
        if http and store and http.max_batch > store.max_waiting_accepts:
            self._problem("store.max_waiting_accepts", "below http.max_batch: a full batch could never be accepted")
        store = store and self._resolved_store(store)
        self._check_accounts(accounts)
        carriers = {
            name: carrier and self._resolved_carrier(carrier, f"carriers.{_key(name)}")
            for name, carrier in carriers.items()
        }
        self._check_routes(routes, known_accounts=set(accounts), known_carriers=set(carriers))
        if self._problems or not (http and store and log):
            raise ConfigError(self._problems)
        return Settings.model_construct(
            http=http,
            store=store,
            log=log,
            accounts={name: account for name, account in accounts.items() if account},
            carriers={name: carrier for name, carrier in carriers.items() if carrier},
            routes=[route for route in routes if route],
        )

    def _problem(self, key: str, text: str) -> None:
        self._problems.append(f"{key}: {text}")

    # -- structure ------------------------------------------------------------------------------------------------ #

    def _unknown_keys(self, table: dict[str, Any]) -> None:
        for key in table.keys() - Settings.model_fields.keys():
            self._problem(_key(key), _unknown_key(key, Settings))

    def _section(self, model: type[M], value: object, path: str) -> M | None:
        if not isinstance(value, dict):
            self._problem(path, f"must be a table, not {_toml_type(value)}")
            return None
        try:
            return model.model_validate(value)
        except ValidationError as error:
            self._problems.extend(_explain(error, model, path))
            return None

    def _named(self, model: type[M], table: dict[str, Any], section: str) -> dict[str, M | None]:
        """The tables under [section], by name; None for those with a mistake."""
        value = table.get(section, {})
        if not isinstance(value, dict) or not all(isinstance(item, dict) for item in value.values()):
            self._problem(section, f"must hold one table for each name: [{section}.NAME]")
            return {}
        if not value:
            self._problem(section, f"at least one is needed: [{section}.NAME]")
        for name in value:
            if not _NAME.fullmatch(name):
                self._problem(f"{section}.{_key(name)}", "a name has 1 to 32 letters, digits, '_', '-' or '.'")
        return {name: self._section(model, item, f"{section}.{_key(name)}") for name, item in value.items()}

    def _routes(self, value: object) -> list[RouteSettings | None]:
        if not isinstance(value, list):
            self._problem("routes", "must be a list of tables: [[routes]]")
            return []
        return [self._section(RouteSettings, item, f"routes[{index}]") for index, item in enumerate(value)]

    # -- combinations --------------------------------------------------------------------------------------------- #

    def _resolved_store(self, store: StoreSettings) -> StoreSettings:
        path = self._folder / store.path
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
            path = f"accounts.{_key(name)}"
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

    def _resolved_carrier(self, carrier: CarrierSettings, path: str) -> CarrierSettings:
        if "burst" in carrier.model_fields_set and not carrier.rate_per_s:
            self._problem(f"{path}.burst", "has no effect without rate_per_s; set both or neither")
        for name, pause in (("reconnect", carrier.reconnect), ("retry", carrier.retry)):
            if pause.first_s > pause.max_s:
                self._problem(f"{path}.{name}.first_s", f"{pause.first_s:g} is above max_s, {pause.max_s:g}")
        return carrier.model_copy(update={"password": SecretStr(self._password(carrier, path))})

    def _password(self, carrier: CarrierSettings, path: str) -> str:
        given = [name for name in _SECRETS if name in carrier.model_fields_set]
        if len(given) != 1:
            what = "none of them is" if not given else " and ".join(given) + " are"
            self._problem(path, f"exactly one of password, password_env and password_file is needed; {what} set")
            return ""
        text = carrier.password.get_secret_value()
        if carrier.password_env is not None:
            text = self._from_environment(carrier.password_env, f"{path}.password_env")
        elif carrier.password_file is not None:
            text = self._from_file(carrier.password_file, f"{path}.password_file")
        if not (text.isascii() and (text.isprintable() or not text)):
            self._problem(f"{path}.{given[0]}", "the password has characters outside printable ASCII")
        elif len(text) > _PASSWORD_OCTETS:
            most = f"{_PASSWORD_OCTETS}, the most that a bind request of SMPP 3.4 can carry"
            self._problem(f"{path}.{given[0]}", f"the password has {len(text)} octets, above {most}")
        return text

    def _from_environment(self, name: str, path: str) -> str:
        text = self._environ.get(name)
        if text is None:
            self._problem(path, f"the environment has no variable {name}")
        return text or ""

    def _from_file(self, file: Path, path: str) -> str:
        file = self._folder / file
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            self._problem(path, f"{file} cannot be read: {error.strerror}")
            return ""
        except UnicodeDecodeError:
            self._problem(path, f"{file} is not UTF-8")
            return ""
        if not lines:
            self._problem(path, f"{file} is empty")
        return lines[0] if lines else ""

    def _check_routes(
        self, routes: list[RouteSettings | None], *, known_accounts: set[str], known_carriers: set[str]
    ) -> None:
        if not routes and len(known_carriers) > 1:
            self._problem("routes", "with more than one carrier, at least one [[routes]] must say which gets what")
        for index, route in enumerate(routes):
            if route is None:
                continue
            if route.carrier not in known_carriers:
                self._problem(
                    f"routes[{index}].carrier", f"no carrier {route.carrier}" + _near(route.carrier, known_carriers)
                )
            for position, name in enumerate(route.accounts):
                if name not in known_accounts:
                    self._problem(
                        f"routes[{index}].accounts[{position}]", f"no account {name}" + _near(name, known_accounts)
                    )


# ---------------------------------------------------------------------------------------------------------------- #
# Words for mistakes
# ---------------------------------------------------------------------------------------------------------------- #


def _explain(error: ValidationError, model: type[SettingsBase], path: str) -> Iterator[str]:
    for item in error.errors(include_url=False):
        *above, last = item["loc"]
        key = path + "".join(f"[{part}]" if isinstance(part, int) else f".{_key(str(part))}" for part in item["loc"])
        if item["type"] == "extra_forbidden":
            yield f"{key}: {_unknown_key(str(last), _model_at(model, above))}"
        elif item["type"] == "missing":
            yield f"{key}: is missing; {_description(_model_at(model, above), str(last))}"
        elif "key_hashes" in item["loc"] and item["type"] == "string_pattern_mismatch":
            yield f"{key}: is no key hash; `smppgw key` prints one (sha256: and 64 hexadecimal digits)"
        else:
            yield f"{key}: {_wrong_value(item['type'], item['msg'], item['input'])}"


def _model_at(model: type[SettingsBase], path: list[int | str]) -> type[SettingsBase]:
    for part in path:
        field = model.model_fields.get(str(part))
        inner = field.annotation if field else None
        if isinstance(inner, type) and issubclass(inner, SettingsBase):
            model = inner
    return model


def _wrong_value(kind: str, message: str, value: object) -> str:
    """Pydantic's message in the words of TOML. The value itself is not shown: it may be a secret."""
    wanted = {
        "string_type": "must be a string",
        "int_type": "must be an integer",
        "float_type": "must be a number",
        "bool_type": "must be true or false",
        "list_type": "must be a list",
        "model_type": "must be a table",
        "path_type": "must be a string",
    }.get(kind)
    if wanted:
        return f"{wanted}, not {_toml_type(value)}"
    return message[:1].lower() + message[1:]


def _unknown_key(key: str, model: type[SettingsBase]) -> str:
    near = _near(key, model.model_fields.keys())
    if near:
        return "unknown key" + near
    elsewhere = [section for section, other in SECTIONS.items() if key in other.model_fields]
    return "unknown key" + (f"; it is known in [{elsewhere[0]}]" if elsewhere else "")


def _near(word: str, known: set[str] | Any) -> str:
    found = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def _description(model: type[SettingsBase], key: str) -> str:
    return model.model_fields[key].description or ""


def _key(name: str) -> str:
    """A key as TOML writes it in a dotted path."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else '"' + name.encode("unicode_escape").decode() + '"'


def _toml_type(value: object) -> str:
    names = {bool: "a boolean", int: "an integer", float: "a float", str: "a string", list: "a list", dict: "a table"}
    return names.get(type(value), "a date or time")


# ---------------------------------------------------------------------------------------------------------------- #
# Warnings: what works but is probably not meant
# ---------------------------------------------------------------------------------------------------------------- #


def warnings_of(settings: Settings, path: Path | None = None) -> list[str]:
    """What an operator should look at although the settings can be used. `path`: the file they came from."""
    found = list(_http_warnings(settings))
    for name, carrier in settings.carriers.items():
        found += _carrier_warnings(carrier, f"carriers.{_key(name)}")
    found += _route_warnings(settings)
    clear = [name for name, c in settings.carriers.items() if c.password_env is None and c.password_file is None]
    if path is not None and clear and path.exists() and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        found.append(f"carriers.{_key(clear[0])}.password: stands in a file that others can read; chmod 600 {path}")
    return found


def _http_warnings(settings: Settings) -> Iterator[str]:
    host = settings.http.host
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        yield f"http.host: {host} is not a loopback address; API keys travel unencrypted unless a proxy adds TLS"


def _carrier_warnings(carrier: CarrierSettings, path: str) -> Iterator[str]:
    if not carrier.timers.enquire_link_s and not carrier.timers.inactivity_s:
        yield f"{path}.timers.enquire_link_s: is 0, and so is inactivity_s: a link that went silent is never noticed"


def _route_warnings(settings: Settings) -> Iterator[str]:
    for index, route in enumerate(settings.routes):
        for position, earlier in enumerate(settings.routes[:index]):
            if _covers(earlier, route):
                yield f"routes[{index}]: is never reached; routes[{position}] fits everything that it fits"
                break
    unused = settings.carriers.keys() - {route.carrier for route in settings.routes} if settings.routes else set()
    for name in sorted(unused):
        yield f"carriers.{_key(name)}: no route leads to it"


def _covers(earlier: RouteSettings, later: RouteSettings) -> bool:
    if earlier.accounts and not (later.accounts and set(later.accounts) <= set(earlier.accounts)):
        return False
    if not earlier.prefixes:
        return True
    prefixes = tuple(prefix.lstrip("+") for prefix in earlier.prefixes)
    return bool(later.prefixes) and all(prefix.lstrip("+").startswith(prefixes) for prefix in later.prefixes)
