"""The sections of the file beside the carriers, and the file as a whole."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import Field

from smppgw.config.base import REGION_FORM, FilePath, Host, KeyHash, Name, Port, Prefix, Seconds, SettingsBase
from smppgw.config.carrier import CarrierSettings
from smppgw.sms.encoding import OnUnencodable


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
    reference_hold_s: float = Field(
        default=86_400.0,
        ge=0,
        description="after the validity of a long message that was not reported as delivered, how long its reference "
        "is not used again between its sender and recipient: the phone may still wait for parts",
    )
    parked_keep_s: Seconds = Field(
        default=604_800.0,
        description="how long a receipt that matched no message is still tried; it is kept in any case",
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
        pattern=REGION_FORM,
        description="ISO 3166 region of recipients typed without country code, such as GB",
    )
    strict_numbers: bool = Field(default=False, description="accept only numbers that are valid, not just possible")
    max_segments: int = Field(default=10, ge=1, le=255, description="most segments of one message; more are refused")
    smart_encoding: bool = Field(
        default=False,
        description="replace typographic quotes, dashes, spaces and the like by their GSM-7 equivalents where that "
        "avoids UCS-2; the answer tells what was replaced",
    )
    on_unencodable: OnUnencodable = Field(
        default=OnUnencodable.UCS2,
        strict=False,
        description="texts that neither GSM-7 can carry nor, where the carrier takes them, national tables, Latin-1 "
        "or ASCII: ucs2 (sent so, unchanged), transliterate (and told), or refuse",
    )
    default_validity_s: Seconds = Field(default=172_800.0, description="validity of messages that name none")
    max_validity_s: Seconds = Field(default=604_800.0, description="longest validity a message may ask for")
    max_schedule_s: Seconds = Field(
        default=2_592_000.0, description="how long before its time a message may be handed in (send_at)"
    )
    default_lane: str = Field(
        default="transactional",
        pattern=r"^(otp|transactional|bulk)\z",
        description="lane of messages that name none: otp, transactional or bulk",
    )


class RouteSettings(SettingsBase):
    """Recipients to carriers; the first route that fits decides."""

    carriers: list[Name] = Field(
        min_length=1, description="names under [carriers]: the first gets it, the next what that one reroutes"
    )
    prefixes: list[Prefix] = Field(default=[], description="E.164 prefixes such as +44; empty fits all")
    accounts: list[Name] = Field(default=[], description="accounts this route is for; empty is all")


class Settings(SettingsBase):
    """The whole file."""

    http: HttpSettings = Field(default=HttpSettings(), description="the HTTP API")
    store: StoreSettings = Field(default=StoreSettings(), description="the embedded store")
    log: LogSettings = Field(default=LogSettings(), description="the log, on standard error")
    accounts: dict[Name, AccountSettings] = Field(description="upstream apps, by name")
    defaults: dict[str, Any] = Field(default={}, description="settings for all carriers, below their profiles")
    profiles: dict[Name, dict[str, Any]] = Field(default={}, description="settings that carriers name as `profile`")
    carriers: dict[Name, CarrierSettings] = Field(description="SMPP accounts at SMSCs, by name")
    routes: list[RouteSettings] = Field(default=[], description="none: all goes to the only carrier")
