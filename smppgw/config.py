"""One TOML file to typed settings.

Every limit, default and unit lives in a settings field here; `smppgw init`, `smppgw check`, conf/ and the docs are
checked against them. Owns reading and checking; opens no socket and no store.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$")]
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]


class BindMode(StrEnum):
    TRANSCEIVER = "transceiver"
    PAIR = "pair"  # a transmitter and a receiver


class OnDoubt(StrEnum):
    HOLD = "hold"
    RESEND = "resend"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class HttpSettings(_Settings):
    """The HTTP API."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: Port = Field(8080, description="port to listen on; 0 takes a free one")
    max_body_octets: int = Field(4_194_304, ge=1024, description="largest request body, in octets; above it 413")
    max_batch: int = Field(1000, ge=1, le=10_000, description="most messages in one POST /v1/messages")
    keep_alive_s: Seconds = Field(75.0, description="idle time after which a keep-alive connection is closed")


class StoreSettings(_Settings):
    """The embedded store."""

    path: Path = Field(Path("smppgw.db"), description="SQLite file; relative to the folder of the config file")
    max_waiting_accepts: int = Field(
        100_000, ge=1, description="most messages waiting for their commit; above it 503 with Retry-After"
    )
    sweep_interval_s: Seconds = Field(1.0, description="how often deadlines (validity, receipts, doubt) are looked at")


class LogSettings(_Settings):
    level: str = Field("info", pattern="^(debug|info|warning|error)$", description="least severe level that is written")
    format: LogFormat = Field(LogFormat.TEXT, description="text (one line, key=value) or json (one object a line)")


class AccountSettings(_Settings):
    """An upstream app."""

    key_hashes: list[str] = Field(description="hashes of this account's API keys; `smppgw init` and `smppgw key` print them")
    default_sender: str | None = Field(None, description="sender of messages that name none")
    default_region: str | None = Field(
        None, pattern="^[A-Z]{2}$", description="ISO 3166 region of recipients typed without country code, such as GB"
    )
    strict_numbers: bool = Field(False, description="accept only numbers that are valid, not just possible")
    max_segments: int = Field(10, ge=1, le=255, description="most segments of one message; more are refused")
    default_validity_s: Seconds = Field(172_800.0, description="validity of messages that name none")
    max_validity_s: Seconds = Field(604_800.0, description="longest validity a message may ask for")
    default_lane: str = Field(
        "transactional", pattern="^(otp|transactional|bulk)$", description="lane of messages that name none"
    )


class TimerSettings(_Settings):
    """The timers of SMPP 3.4, section 7.2, and of the connection."""

    connect_s: Seconds = Field(10.0, description="time for the TCP connection")
    session_init_s: Seconds = Field(10.0, description="time for the answer to the bind request")
    enquire_link_s: float = Field(30.0, ge=0, description="silence after which we send enquire_link; 0 sends none")
    response_s: Seconds = Field(30.0, description="time for an answer; enquire_link unanswered for so long is a dead link")
    inactivity_s: float = Field(0.0, ge=0, description="time without messages after which we unbind; 0 is never")
    stop_s: Seconds = Field(10.0, description="at stop, how long to wait for the answers that are still out")


class ReconnectSettings(_Settings):
    first_s: Seconds = Field(1.0, description="pause before the first reconnect")
    factor: float = Field(2.0, ge=1, description="growth of the pause")
    max_s: Seconds = Field(60.0, description="longest pause")
    jitter: float = Field(0.3, ge=0, le=1, description="share of the pause that is random")


class RetrySettings(_Settings):
    """For segments the carrier refused for now (ESME_RTHROTTLED and ESME_RMSGQFUL are not counted)."""

    first_s: Seconds = Field(5.0, description="pause before the first retry")
    factor: float = Field(3.0, ge=1, description="growth of the pause")
    max_s: Seconds = Field(900.0, description="longest pause")
    max_attempts: int = Field(8, ge=1, description="refusals after which the segment has failed")


class CarrierSettings(_Settings):
    """One SMPP account at an SMSC."""

    host: str = Field(description="name or address of the SMSC, looked up at each connect")
    port: Port = Field(2775, description="port of the SMSC")
    system_id: str = Field(min_length=1, max_length=15, description="our name at the SMSC")
    password: SecretStr | None = Field(None, description="password in clear; prefer password_env or password_file")
    password_env: str | None = Field(None, description="environment variable that holds the password")
    password_file: Path | None = Field(None, description="file whose first line is the password")
    system_type: str = Field("", max_length=12, description="system_type of the bind")
    address_range: str = Field("", max_length=40, description="address_range of the bind")
    mode: BindMode = Field(BindMode.TRANSCEIVER, description="transceiver, or pair: a transmitter and a receiver")
    binds: int = Field(1, ge=1, le=64, description="how many binds (or pairs) are held")
    window: int = Field(100, ge=1, le=10_000, description="most unanswered submit_sm per bind")
    rate_per_s: float = Field(0.0, ge=0, description="submit_sm per second and bind; 0 is no limit of ours")
    burst: int = Field(1, ge=1, description="submit_sm that may leave at once after a pause, with rate_per_s")
    throttle_pause_s: Seconds = Field(1.0, description="pause of the bind after ESME_RTHROTTLED")
    queue_full_delay_s: Seconds = Field(30.0, description="delay of a recipient after ESME_RMSGQFUL")
    queue_full_recipients: int = Field(
        5, ge=2, description="recipients with ESME_RMSGQFUL within queue_full_span_s that slow the bind as well"
    )
    queue_full_span_s: Seconds = Field(10.0, description="the short time for queue_full_recipients")
    receipts: bool = Field(True, description="ask for delivery receipts")
    receipt_timeout_s: Seconds = Field(86_400.0, description="after a message's validity, how long to wait for its receipt")
    on_doubt: OnDoubt = Field(
        OnDoubt.HOLD, description="what to do with a submit_sm that was written but not answered: hold, or resend"
    )
    doubt_match_s: Seconds = Field(3600.0, description="how long a receipt may resolve a doubt by its addresses")
    doubt_timeout_s: Seconds = Field(86_400.0, description="after this time in doubt a segment is unknown")
    max_pending_receipts: int = Field(
        20_000, ge=1, description="deliver_sm waiting for their commit; more are answered ESME_RX_T_APPN"
    )
    timers: TimerSettings = TimerSettings()
    reconnect: ReconnectSettings = ReconnectSettings()
    retry: RetrySettings = RetrySettings()


class RouteSettings(_Settings):
    """Recipients to carriers; the first route that fits decides."""

    carrier: Name = Field(description="a name under [carriers]")
    prefixes: list[str] = Field([], description="E.164 prefixes such as +44; empty fits all")
    accounts: list[Name] = Field([], description="accounts this route is for; empty is all")


class Settings(_Settings):
    """The whole file."""

    http: HttpSettings = HttpSettings()
    store: StoreSettings = StoreSettings()
    log: LogSettings = LogSettings()
    accounts: dict[Name, AccountSettings] = Field(description="upstream apps, by name")
    carriers: dict[Name, CarrierSettings] = Field(description="SMPP accounts at SMSCs, by name")
    routes: list[RouteSettings] = Field([], description="none: all goes to the only carrier")
