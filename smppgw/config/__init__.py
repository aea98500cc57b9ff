"""One TOML file to typed settings.

    base       what all sections share
    kinds      the words and forms that settings of a carrier are made of
    carrier    a carrier, its binds and its dialect
    settings   the other sections, and the file as a whole
    lines      which line of a TOML document each value stands on
    layers     built-in defaults -> [defaults] -> profiles -> carrier -> bind
    profiles/  the profiles that come with the gateway
    resolving  layers to the settings of each carrier and bind
    secrets    where passwords come from
    checks     what must fit together in a carrier and its binds
    together   and between carriers
    words      words for mistakes
    reading    the file to settings; every mistake at once, by key path
    effective  every value, and where it stands
    warnings   what works but is probably not meant

Every limit, default and unit lives in a settings field; `smppgw init`, `smppgw check`, conf/ and the docs are checked
against them. Owns reading and checking, secrets included; opens no socket and no store.
"""

from __future__ import annotations

from smppgw.config.base import SettingsBase
from smppgw.config.carrier import (
    AddressRule,
    AddressSettings,
    CapSettings,
    CarrierSettings,
    EncodingSettings,
    IdSettings,
    LinkSettings,
    OutbindSettings,
    QuerySettings,
    ReceiptSettings,
    ReconnectSettings,
    RetrySettings,
    SubmitSettings,
    TimerSettings,
    TlsSettings,
    VendorTlv,
)
from smppgw.config.effective import Effective, effective
from smppgw.config.kinds import (
    AcceptdMeans,
    BindMode,
    CapSpan,
    IdRelation,
    InterfaceVersion,
    OnDoubt,
    RateUnit,
    RefusalPolicy,
    ScheduleBy,
    StatusOutcome,
    SubmitCommand,
    TlvType,
    ValidityForm,
)
from smppgw.config.layers import shipped, shipped_text
from smppgw.config.reading import SECTIONS, Reading, load, read
from smppgw.config.settings import (
    AccountSettings,
    HttpSettings,
    LogFormat,
    LogSettings,
    RouteSettings,
    Settings,
    StoreSettings,
)
from smppgw.config.warnings import warnings_of
from smppgw.config.words import toml_value
from smppgw.sms.encoding import ClassForm, DefaultAlphabet, LongMessages, OnUnencodable, Packing

__all__ = [
    "SECTIONS",
    "AcceptdMeans",
    "AccountSettings",
    "AddressRule",
    "AddressSettings",
    "BindMode",
    "CapSettings",
    "CapSpan",
    "CarrierSettings",
    "ClassForm",
    "DefaultAlphabet",
    "Effective",
    "EncodingSettings",
    "HttpSettings",
    "IdRelation",
    "IdSettings",
    "InterfaceVersion",
    "LinkSettings",
    "LogFormat",
    "LogSettings",
    "LongMessages",
    "OnDoubt",
    "OnUnencodable",
    "OutbindSettings",
    "Packing",
    "QuerySettings",
    "RateUnit",
    "Reading",
    "ReceiptSettings",
    "ReconnectSettings",
    "RefusalPolicy",
    "RetrySettings",
    "RouteSettings",
    "ScheduleBy",
    "Settings",
    "SettingsBase",
    "StatusOutcome",
    "StoreSettings",
    "SubmitCommand",
    "SubmitSettings",
    "TimerSettings",
    "TlsSettings",
    "TlvType",
    "ValidityForm",
    "VendorTlv",
    "effective",
    "load",
    "read",
    "shipped",
    "shipped_text",
    "toml_value",
    "warnings_of",
]
