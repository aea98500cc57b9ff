"""What must fit together: the settings of one bind, and of one carrier. Those of several: together.

Two kinds of mistakes. A contradiction is told under the key that was said last. A setting without effect is told only
where a carrier says it itself: in a profile it waits for carriers that need it.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from pathlib import Path

from smppgw.config.carrier import AddressRule, CarrierSettings, EncodingSettings, TlsSettings, VendorTlv
from smppgw.config.kinds import (
    ALL_TABLES,
    BindMode,
    InterfaceVersion,
    ScheduleBy,
    SubmitCommand,
    TlvType,
    ValidityForm,
)
from smppgw.config.layers import Merged, status_of
from smppgw.config.lines import KeyPath
from smppgw.config.secrets import SYSTEM_ID_OCTETS
from smppgw.config.words import Report
from smppgw.sms.encoding import ClassForm, DefaultAlphabet, LongMessages, Packing

TLS_PORT = 3550  # registered for SMPP over TLS; the only one on which TLS is on unless said otherwise
_FILES = ("ca_file", "cert_file", "key_file")
_FINAL_RECEIPTS = 0b11  # of registered_delivery (SMPP 3.4, 5.2.17): 1 all, 2 failures, 3 successes
_OWN_TAGS = {
    0x0005: "dest_addr_subunit",
    0x0204: "user_message_reference",
    0x020C: "sar_msg_ref_num",
    0x020E: "sar_total_segments",
    0x020F: "sar_segment_seqnum",
    0x0424: "message_payload",
}
LEAST_ALARM_S = 60  # binds look every 15 s
_ADDRESS_OCTETS = 20  # SMPP 3.4, 4.4.1
_INTEGER_OCTETS = 8


class _Said:
    """The settings of one bind or carrier with where they come from, and a way to say what is wrong."""

    def __init__(self, merged: Merged, report: Report) -> None:
        self._merged = merged
        self._report = report

    def wrong(self, text: str, *keys: str | KeyPath) -> None:
        """Values that do not fit together, told under the one that was said last."""
        self._report.add(self._merged.latest(map(_path, keys)), text)

    def idle(self, text: str, *keys: str | KeyPath) -> None:
        """Values without effect, told under each that the carrier itself says."""
        for path in map(_path, keys):
            layer = self._merged.origin(path)
            if layer is not None and layer.own:
                self._report.add(layer.key(path), text)

    def has(self, key: str | KeyPath) -> bool:
        return self._merged.has(_path(key))

    def inside(self, table: str) -> list[KeyPath]:
        """The paths of all that is said in a table."""
        return [path for path in self._merged.origins if path[0] == table]


def _path(key: str | KeyPath) -> KeyPath:
    return tuple(key.split(".")) if isinstance(key, str) else key


# ---------------------------------------------------------------------------------------------------------------- #
# One bind
# ---------------------------------------------------------------------------------------------------------------- #


def check_link(settings: CarrierSettings, merged: Merged, folder: Path | None, report: Report) -> None:
    """What must fit together in the settings that may differ from bind to bind. Without a folder, the files that they
    name are not looked at."""
    said = _Said(merged, report)
    for check in (_credentials, _pace, _pauses, _endpoints, _version):
        check(settings, said)
    _tls(settings, said, folder)


def _credentials(settings: CarrierSettings, said: _Said) -> None:
    for key in ("system_id", "system_type", "address_range"):
        text = getattr(settings, key)
        if not (text.isascii() and (text.isprintable() or not text)):
            said.wrong("has characters outside printable ASCII", key)
    if len(settings.system_id) > SYSTEM_ID_OCTETS and not settings.long_credentials:
        most = f"{SYSTEM_ID_OCTETS}, the most that a bind request of SMPP 3.4 can carry"
        text = f"has {len(settings.system_id)} octets, above {most}; long_credentials sends it all the same"
        said.wrong(text, "system_id")


def _pace(settings: CarrierSettings, said: _Said) -> None:
    if not settings.rate_per_s:
        said.idle("has no effect without rate_per_s; set both or neither", "burst", "rate_unit")


def _pauses(settings: CarrierSettings, said: _Said) -> None:
    for name, pause in (("reconnect", settings.reconnect), ("retry", settings.retry)):
        if pause.first_s > pause.max_s:
            text = f"{name}.first_s, {pause.first_s:g}, is above max_s, {pause.max_s:g}"
            said.wrong(text, f"{name}.first_s", f"{name}.max_s")


def _endpoints(settings: CarrierSettings, said: _Said) -> None:
    if settings.mode is not BindMode.PAIR:
        said.idle('has no effect without mode = "pair": only a pair has a receiver of its own', "receive_port")
    seen = {f"{settings.host}:{settings.port}"}
    for endpoint in settings.fallbacks:
        if endpoint in seen:
            said.wrong(f"{endpoint} is listed twice, or is host and port already", "fallbacks")
        seen.add(endpoint)


def _version(settings: CarrierSettings, said: _Said) -> None:
    if settings.submit.command is SubmitCommand.DATA_SM:
        if settings.interface_version is InterfaceVersion.V33:
            text = "submit.command is data_sm, which interface_version 3.3 does not have"
            said.wrong(text, "submit.command", "interface_version")
        elif not settings.tlvs:
            said.wrong("submit.command is data_sm, which needs TLVs, but tlvs is false", "submit.command", "tlvs")
        lanes = [path for path in said.inside("submit") if path[1] == "priority"]
        schedule = ["submit.schedule"] if settings.submit.schedule is ScheduleBy.CARRIER else []
        said.idle("has no effect: data_sm has no such field", "submit.protocol_id", *lanes, *schedule)


def _tls(settings: CarrierSettings, said: _Said, folder: Path | None) -> None:
    tls = settings.tls
    if tls.enabled is None and not uses_tls(settings):
        text = f"has no effect: TLS is off, as the port is not {TLS_PORT}; say tls.enabled = true, or false"
        said.idle(text, *(path for path in said.inside("tls") if path != ("tls", "enabled")))
    if tls.key_file is not None and tls.cert_file is None:
        said.wrong("tls.key_file is set, but there is no tls.cert_file that it belongs to", "tls.key_file")
    if folder is None:
        return
    given = {name: folder / file for name in _FILES if (file := getattr(tls, name)) is not None}
    missing = [name for name, file in given.items() if not _is_file(file)]
    for name in missing:
        said.wrong(f"{given[name]} is no file", f"tls.{name}")
    if uses_tls(settings) and not missing:
        _pem(tls, said, folder)


def uses_tls(settings: CarrierSettings) -> bool:
    """Whether the connection to any of its endpoints has TLS."""
    if settings.tls.enabled is not None:
        return settings.tls.enabled
    return TLS_PORT in (settings.port, *(port_of(endpoint) for endpoint in settings.fallbacks))


def port_of(endpoint: str) -> int:
    return int(endpoint.rpartition(":")[2])


def _pem(tls: TlsSettings, said: _Said, folder: Path) -> None:
    """What the files hold, read as the connection will read them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if tls.ca_file is not None:
        try:
            context.load_verify_locations(folder / tls.ca_file)
        except (ssl.SSLError, OSError) as error:
            said.wrong(_unreadable(folder / tls.ca_file, error, "holds no certificate in PEM"), "tls.ca_file")
    if tls.cert_file is None:
        return
    key_file = folder / (tls.key_file or tls.cert_file)
    try:
        context.load_cert_chain(folder / tls.cert_file, key_file, password=lambda: "")
    except (ssl.SSLError, OSError) as error:
        if isinstance(error, ssl.SSLError) and error.reason in ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH"):
            said.wrong(f"{key_file} is not the key of {folder / tls.cert_file}", "tls.cert_file", "tls.key_file")
        else:
            hold = f"and {key_file} hold" if tls.key_file else "holds"
            text = f"{hold} no certificate and key in PEM, or the key has a password"
            said.wrong(_unreadable(folder / tls.cert_file, error, text), "tls.cert_file", "tls.key_file")


def _unreadable(file: Path, error: OSError, otherwise: str) -> str:
    """ssl.SSLError is an OSError, and has no text for people."""
    return f"{file} {otherwise}" if isinstance(error, ssl.SSLError) else f"{file} cannot be read: {error.strerror}"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long, or has a NUL in it
        return False


# ---------------------------------------------------------------------------------------------------------------- #
# One carrier
# ---------------------------------------------------------------------------------------------------------------- #


def check_carrier(settings: CarrierSettings, merged: Merged, bind_tables: int, report: Report) -> None:
    """What must fit together in the settings of a carrier as a whole."""
    said = _Said(merged, report)
    own = merged.origin(("binds",))
    if bind_tables and own is not None and own.own and merged.table["binds"] != bind_tables:
        text = f"binds is {merged.table['binds']}, but there are {bind_tables} [[bind]] tables; leave one of them out"
        said.wrong(text, "binds")
    for check in (_texts, _receipts, _statuses, _words, _addresses, _caps, _vendor_tlvs, _outbind):
        check(settings, said)


def _texts(settings: CarrierSettings, said: _Said) -> None:
    _tlv_forms(settings, said)
    _alphabets(settings.encoding, said)
    submit = settings.submit
    if submit.validity is ValidityForm.OMIT:
        said.idle('has no effect with validity = "omit"', "submit.max_validity_s")
    if not (submit.service_type.isascii() and (submit.service_type.isprintable() or not submit.service_type)):
        said.wrong("has characters outside printable ASCII", "submit.service_type")


def _tlv_forms(settings: CarrierSettings, said: _Said) -> None:
    """What travels as a TLV, where there may be none."""
    encoding = settings.encoding
    for key, value, needs in (
        ("encoding.long", encoding.long, encoding.long in (LongMessages.SAR, LongMessages.PAYLOAD)),
        ("encoding.message_class", encoding.message_class, encoding.message_class is ClassForm.SUBUNIT),
    ):
        if needs and not settings.tlvs:
            said.wrong(f"{key} is {value}, which needs TLVs, but tlvs is false", key, "tlvs")
        elif needs and settings.interface_version is InterfaceVersion.V33:
            text = f"{key} is {value}, which needs TLVs; interface_version 3.3 has none"
            said.wrong(text, key, "interface_version")


def _alphabets(encoding: EncodingSettings, said: _Said) -> None:
    alphabet, tables = encoding.default_alphabet, encoding.national_tables
    if encoding.packing is Packing.PACKED and alphabet is not DefaultAlphabet.GSM7:
        text = f"encoding.packing is packed, but the default alphabet is {alphabet}; only gsm7 packs"
        said.wrong(text, "encoding.packing", "encoding.default_alphabet")
    if tables and alphabet is not DefaultAlphabet.GSM7:
        text = f"encoding.national_tables shift GSM-7, but the default alphabet is {alphabet}"
        said.wrong(text, "encoding.national_tables", "encoding.default_alphabet")
    for index, name in enumerate(tables):
        if name in tables[:index]:
            said.wrong(f"{name} is listed twice", ("encoding", "national_tables", index))
        elif ALL_TABLES in tables and name != ALL_TABLES:
            said.wrong(f"{name} is among {ALL_TABLES} already", ("encoding", "national_tables", index))
    _data_codings(encoding, said)


def _data_codings(encoding: EncodingSettings, said: _Said) -> None:
    """Octets under one data_coding must be of one alphabet: nobody could tell them apart."""
    alphabets: dict[int, tuple[str, str]] = {}
    for key, alphabet in (
        ("gsm7_data_coding", encoding.default_alphabet),
        ("ucs2_data_coding", "ucs2"),
        ("latin1_data_coding", "latin1"),
        ("ascii_data_coding", "ascii"),
        ("binary_data_coding", "binary"),
    ):
        value = getattr(encoding, key)
        if value is None:
            continue
        first, meant = alphabets.setdefault(value, (key, alphabet))
        if meant != alphabet:  # a default alphabet that is Latin-1 may say so: then all of Latin-1 goes out in it
            said.wrong(f"encoding.{first} and {key} are both {value}", f"encoding.{first}", f"encoding.{key}")


def _receipts(settings: CarrierSettings, said: _Said) -> None:
    asked = settings.submit.registered_delivery & _FINAL_RECEIPTS
    if not settings.receipt_alarm_share:
        said.idle("has no effect without receipt_alarm_share", "receipt_alarm_s")
    elif asked != 1:
        text = "receipt_alarm_share needs a receipt for every message: submit.registered_delivery = 1"
        said.wrong(text, "receipt_alarm_share", "submit.registered_delivery")
    if settings.receipt_alarm_s < LEAST_ALARM_S:
        said.wrong(f"must be at least {LEAST_ALARM_S}, not {settings.receipt_alarm_s:g}", "receipt_alarm_s")
    if not settings.query.enabled:
        said.idle("has no effect without query.enabled", "query.after_s", "query.attempts", "query.interval_s")


def _statuses(settings: CarrierSettings, said: _Said) -> None:
    for table, names in (("outcomes", settings.outcomes), ("bind_refusals", settings.bind_refusals)):
        seen: dict[int | None, str] = {}
        for name in names:
            code = status_of(name)
            if code == 0:
                said.wrong("ESME_ROK is no refusal; it cannot be listed", (table, name))
            elif code in seen:
                said.wrong(f"is the same command_status as {seen[code]}", (table, name))
            seen.setdefault(code, name)


def _words(settings: CarrierSettings, said: _Said) -> None:
    seen: dict[str, str] = {}
    for word in settings.receipts.states:
        path = ("receipts", "states", word)
        if word.upper() == "ACCEPTD":
            said.wrong("what ACCEPTD means is said by receipts.acceptd", path)
        elif word.upper() in seen:
            said.wrong(f"is the same word as {seen[word.upper()]}; case does not count", path)
        seen.setdefault(word.upper(), word)


def _addresses(settings: CarrierSettings, said: _Said) -> None:
    for side, rules in (("source", settings.addresses.source), ("destination", settings.addresses.destination)):
        seen: dict[str, int] = {}
        for index, rule in enumerate(rules):
            path = ("addresses", side, index)
            if rule.pattern in seen:
                text = f"is never reached: addresses.{side}[{seen[rule.pattern]}] has the same pattern"
                said.wrong(text, (*path, "pattern"))
            seen.setdefault(rule.pattern, index)
            for key, text in _affixes(rule, digits=side == "destination"):
                said.wrong(text, (*path, key))


def _affixes(rule: AddressRule, *, digits: bool) -> Iterator[tuple[str, str]]:
    for key in ("strip", "prepend"):
        text = getattr(rule, key)
        if digits and not re.fullmatch(r"\+?[0-9]*", text):
            yield key, "must be digits: it is part of a recipient's number"
        elif not (text.isascii() and (text.isprintable() or not text)):
            yield key, "has characters outside printable ASCII"
        elif len(text) > _ADDRESS_OCTETS:
            yield key, f"has {len(text)} octets; an address has at most {_ADDRESS_OCTETS}"


def _caps(settings: CarrierSettings, said: _Said) -> None:
    seen: set[tuple[str, bool]] = set()
    for index, cap in enumerate(settings.caps):
        if (cap.per, cap.by_sender) in seen:
            whose = " by sender" if cap.by_sender else ""
            said.wrong(f"a second limit for each {cap.per}{whose}", ("caps", index))
        seen.add((cap.per, cap.by_sender))


def _vendor_tlvs(settings: CarrierSettings, said: _Said) -> None:
    owners: dict[int, str] = dict(_OWN_TAGS)
    for name, tlv in settings.vendor_tlvs.items():
        table = ("vendor_tlvs", name)
        if not settings.tlvs:
            said.wrong(f"{name} is a TLV, but tlvs is false", "tlvs", (*table, "tag"))
        if tlv.tag in _OWN_TAGS:
            said.wrong(f"0x{tlv.tag:04X} is {_OWN_TAGS[tlv.tag]}, which the gateway sets itself", (*table, "tag"))
        elif tlv.tag in owners:
            said.wrong(f"0x{tlv.tag:04X} is the tag of {owners[tlv.tag]} already", (*table, "tag"))
        owners.setdefault(tlv.tag, name)
        for keys, text in _tlv(tlv):
            said.wrong(text, *((*table, key) for key in keys if said.has((*table, key))))


def _tlv(tlv: VendorTlv) -> Iterator[tuple[tuple[str, ...], str]]:
    """(the keys that do not fit together, why)."""
    if tlv.type is TlvType.INTEGER and (tlv.octets or 1) > _INTEGER_OCTETS:
        yield ("octets", "type"), f"an integer has 1 to {_INTEGER_OCTETS} octets"
    elif tlv.value is not None:
        try:
            tlv.octets_of(tlv.value)
        except ValueError as error:
            yield ("value", "octets", "type"), f"the value {error}"
    if tlv.value is None and not tlv.from_request:
        yield ("from_request",), "without a value, and without one from requests, it would never be sent"
    if tlv.required and tlv.value is not None:
        yield ("required", "value"), "required has no effect beside a value: what a request leaves out has that one"


def _outbind(settings: CarrierSettings, said: _Said) -> None:
    if not settings.binds and not settings.outbind.port:
        text = "binds is 0, and without outbind.port the SMSC cannot ask for one: nothing would ever be sent"
        said.wrong(text, "binds", "outbind.port")
    if not settings.outbind.port:
        text = "has no effect without outbind.port"
        said.idle(text, *(path for path in said.inside("outbind") if path != ("outbind", "port")))
