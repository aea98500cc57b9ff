"""What must fit together, and what is probably not meant: every mistake under its key path."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from smppgw.config import CarrierSettings, Settings, SettingsBase, load, warnings_of
from smppgw.config.base import FORMS
from smppgw.errors import ConfigError

HEAD = f"""
[accounts.app]
key_hashes = ["sha256:{"a" * 64}"]
"""
DEMO = """
[carriers.demo]
host = "10.0.0.1"
system_id = "demo"
password = "secret"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "smppgw.toml"
    path.write_text(HEAD + text, encoding="utf-8")
    path.chmod(0o600)
    return path


def loaded(folder: Path, text: str) -> Settings:
    return load(write(folder, text), {})


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    return caught.value.problems


# (what the carrier says, the key path below carriers.demo, the beginning of the text)
CARRIER = [
    # values
    ("interface_version = '3.5'", "interface_version", 'must be "3.3", "3.4" or "5.0"'),
    ("interface_version = 3.4", "interface_version", 'must be "3.3", "3.4" or "5.0", in quotes, not a float'),
    ("port = 65536", "port", "must be at most 65535, not "),
    ("address_ton = 256", "address_ton", "must be at most 255, not "),
    ("fallbacks = ['smsc2']", "fallbacks[0]", "is not HOST:PORT, as in smsc2.example.com:2775"),
    ("fallbacks = [':2775']", "fallbacks[0]", "is neither a host name nor an IP address"),
    ("fallbacks = ['a:0']", "fallbacks[0]", "has a port outside 1 to 65535"),
    ("fallbacks = ['a:99999']", "fallbacks[0]", "has a port outside 1 to 65535"),
    ("fallbacks = ['a b:1']", "fallbacks[0]", "is neither a host name nor an IP address"),
    ("fallbacks = ['2001:db8::1:2775']", "fallbacks[0]", "is not HOST:PORT"),
    ("source_address = 'foo'", "source_address", "must be an IP address, such as 192.0.2.10"),
    ("tls.min_version = '1.1'", "tls.min_version", 'must be "1.2" or "1.3"'),
    ("tls.enabled = 1", "tls.enabled", "must be true or false, not an integer"),
    ("submit.service_type = 'LONGER'", "submit.service_type", "must have at most 5 characters"),
    ("submit.messaging_mode = 4", "submit.messaging_mode", "must be at most 3, not "),
    ("submit.registered_delivery = 32", "submit.registered_delivery", "must be at most 31, not "),
    ("submit.validity = 'none'", "submit.validity", 'must be "relative", "absolute" or "omit"'),
    ("submit.priority = { fast = 1 }", "submit.priority.fast", 'must be "otp", "transactional" or "bulk"'),
    ("submit.priority = { otp = 4 }", "submit.priority.otp", "must be at most 3, not "),
    ("encoding.long = 'tlv'", "encoding.long", 'must be "auto", "udh8", "udh16", "sar" or "payload"'),
    ("encoding.max_octets = 141", "encoding.max_octets", "must be at most 140, not "),
    ("encoding.default_alphabet = 'ucs2'", "encoding.default_alphabet", 'must be "gsm7", "latin1", "ascii"'),
    (
        "encoding.message_class = 'flash'",
        "encoding.message_class",
        'must be "general", "class_group", "subunit" or "no',
    ),
    ("encoding.latin1_data_coding = 256", "encoding.latin1_data_coding", "must be at most 255, not 256"),
    ("encoding.binary_data_coding = -1", "encoding.binary_data_coding", "must be at least 0, not -1"),
    ("encoding.latin_data_coding = 3", "encoding.latin_data_coding", "unknown key; did you mean latin1_data_coding?"),
    ("encoding.national_tables = 'turkish'", "encoding.national_tables", "must be a list, not a string"),
    ("encoding.national_tables = [3]", "encoding.national_tables[0]", "must be a string, not an integer"),
    (
        "encoding.national_tables = ['spanish', 'Turkisch']",
        "encoding.national_tables[1]",
        "is no language with tables of its own; did you mean turkish?",
    ),
    (
        "encoding.national_tables = ['greek']",
        "encoding.national_tables[0]",
        "is no language with tables of its own; there are all, turkish, spanish, portuguese, bengali, gujarati,",
    ),
    ("submit.schedule = 'smsc'", "submit.schedule", 'must be "gateway" or "carrier"'),
    ("ids.relation = 'hex'", "ids.relation", 'must be "learn", "same", "hex_dec" or "dec_hex"'),
    ("ids.extract = '('", "ids.extract", "is no regular expression: missing )"),
    ("ids.extract = '[0-9]+'", "ids.extract", "must have exactly one group: the id itself"),
    ("ids.extract = '([0-9]+)-([0-9]+)'", "ids.extract", "must have exactly one group: the id itself"),
    ("receipts.acceptd = 'final'", "receipts.acceptd", 'must be "intermediate" or "delivered"'),
    ("receipts.time_zone = 'Rome'", "receipts.time_zone", "is no time zone of the IANA database, such as Europe/"),
    ("receipts.states = { FAILED = 'GONE' }", "receipts.states.FAILED", "is no state; such as DELIVRD, UNDELIV"),
    ("receipts.states = { '' = 'DELIVRD' }", 'receipts.states.""', "must have at least 1 character"),
    ("query.attempts = 0", "query.attempts", "must be at least 1, not "),
    ("caps = [{ per = 'week', count = 1 }]", "caps[0].per", 'must be "minute", "hour" or "day"'),
    ("caps = [{ per = 'day' }]", "caps[0].count", "is missing; most submit_sm in it"),
    ("caps = [{ per = 'day', count = 1, sender = true }]", "caps[0].sender", "unknown key; did you mean by_sender?"),
    ("outcomes = { '0x411' = 'slow' }", "outcomes.0x411", 'must be "retry", "reroute", "fail", "throttle"'),
    (
        "outcomes = { ESME_RTHROTLED = 'fail' }",
        "outcomes.ESME_RTHROTLED",
        "is no command_status; did you mean ESME_RTHROTTLED?",
    ),
    ("outcomes = { foo = 'fail' }", "outcomes.foo", "is no command_status, such as ESME_RTHROTTLED or 0x58"),
    ("receipt_alarm_share = 0.5\nreceipt_alarm_s = 59", "receipt_alarm_s", "must be at least 60, not 59"),
    ("query.after_s = 60", "query.after_s", "has no effect without query.enabled"),
    ("binds = 0", "binds", "binds is 0, and without outbind.port the SMSC cannot ask for one"),
    (
        "interface_version = '3.3'\nencoding.long = 'payload'",
        "encoding.long",
        "encoding.long is payload, which needs TLVs; interface_version 3.3 has none",
    ),
    ("bind_refusals = { '0x401' = 'wait' }", "bind_refusals.0x401", 'must be "credentials", "already_bound"'),
    ("vendor_tlvs.x = { tag = 0 }", "vendor_tlvs.x.tag", "must be at least 1, not "),
    ("vendor_tlvs.x = { type = 'octets' }", "vendor_tlvs.x.tag", "is missing; tag; 0x1400 to 0x3FFF are"),
    ("vendor_tlvs.x = { tag = 5121, valeu = 1 }", "vendor_tlvs.x.valeu", "unknown key; did you mean value?"),
    ("vendor_tlvs.'a b' = { tag = 5121 }", 'vendor_tlvs."a b"', "must be a name of 1 to 32 letters"),
    ("vendor_tlvs.x = { tag = 5121, value = true }", "vendor_tlvs.x.value", "must be an integer or a string"),
    ("addresses.source = [{ ton = 1 }]", "addresses.source[0].pattern", "is missing; regular expression that"),
    ("addresses.source = [{ pattern = '*' }]", "addresses.source[0].pattern", "is no regular expression: nothing to"),
    ("addresses.sources = []", "addresses.sources", "unknown key; did you mean source?"),
    ("addresses.source = 3", "addresses.source", "must be a list, not an integer"),
    ("caps = [3]", "caps[0]", "must be a table, not an integer"),
    ("tls = true", "tls", "must be a table, not a boolean"),
    # credentials
    ("system_id = '1234567890123456'", "system_id", "has 16 octets, above 15, the most that a bind request of SMPP"),
    ("system_id = 'naïve'", "system_id", "has characters outside printable ASCII"),
    ("system_type = 'naïve'", "system_type", "has characters outside printable ASCII"),
    ('address_range = "a\\tb"', "address_range", "has characters outside printable ASCII"),
    ("submit.service_type = 'né'", "submit.service_type", "has characters outside printable ASCII"),
    # without effect
    ("rate_unit = 'messages'", "rate_unit", "has no effect without rate_per_s; set both or neither"),
    ("burst = 1", "burst", "has no effect without rate_per_s; set both or neither"),
    ("receive_port = 2776", "receive_port", 'has no effect without mode = "pair"'),
    ("receipt_alarm_s = 60", "receipt_alarm_s", "has no effect without receipt_alarm_share"),
    ("query.attempts = 2", "query.attempts", "has no effect without query.enabled"),
    ("query = { enabled = false, interval_s = 2.0 }", "query.interval_s", "has no effect without query.enabled"),
    ("outbind.system_id = 'smsc'", "outbind.system_id", "has no effect without outbind.port"),
    (
        "tls.verify = false",
        "tls.verify",
        "has no effect: TLS is off, as the port is not 3550; say tls.enabled = true",
    ),
    ("submit = { validity = 'omit', max_validity_s = 60 }", "submit.max_validity_s", "has no effect with validity ="),
    ("submit = { command = 'data_sm', protocol_id = 1 }", "submit.protocol_id", "has no effect: data_sm has no such"),
    (
        "submit = { command = 'data_sm', priority.otp = 1 }",
        "submit.priority.otp",
        "has no effect: data_sm has no such",
    ),
    (
        "submit = { command = 'data_sm', schedule = 'carrier' }",
        "submit.schedule",
        "has no effect: data_sm has no such field",
    ),
    # contradictions
    ("reconnect.first_s = 90", "reconnect.first_s", "reconnect.first_s, 90, is above max_s, 60"),
    ("retry.max_s = 1", "retry.max_s", "retry.first_s, 5, is above max_s, 1"),
    ("fallbacks = ['10.0.0.1:2775']", "fallbacks", "10.0.0.1:2775 is listed twice, or is host and port already"),
    ("fallbacks = ['a:1', 'a:1']", "fallbacks", "a:1 is listed twice"),
    ("tlvs = false\nencoding.long = 'sar'", "encoding.long", "encoding.long is sar, which needs TLVs, but tlvs is"),
    ("tlvs = false\nencoding.long = 'payload'", "encoding.long", "encoding.long is payload, which needs TLVs"),
    (
        "tlvs = false\nencoding.message_class = 'subunit'",
        "encoding.message_class",
        "encoding.message_class is subunit, which needs TLVs, but tlvs is false",
    ),
    (
        "interface_version = '3.3'\nencoding.message_class = 'subunit'",
        "encoding.message_class",
        "encoding.message_class is subunit, which needs TLVs; interface_version 3.3 has none",
    ),
    ("tlvs = false\nvendor_tlvs.x = { tag = 5121 }", "tlvs", "x is a TLV, but tlvs is false"),
    ("tlvs = false\nsubmit.command = 'data_sm'", "submit.command", "submit.command is data_sm, which needs TLVs"),
    (
        "interface_version = '3.3'\nsubmit.command = 'data_sm'",
        "submit.command",
        "submit.command is data_sm, which interface_version 3.3 does not have",
    ),
    (
        "encoding = { packing = 'packed', default_alphabet = 'latin1' }",
        "encoding.packing",
        "encoding.packing is packed, but the default alphabet is latin1; only gsm7 packs",
    ),
    (
        "encoding.ucs2_data_coding = 0",
        "encoding.ucs2_data_coding",
        "encoding.gsm7_data_coding and ucs2_data_coding are",
    ),
    (
        "encoding.latin1_data_coding = 0",
        "encoding.latin1_data_coding",
        "encoding.gsm7_data_coding and latin1_data_coding are both 0",
    ),
    (
        "encoding = { default_alphabet = 'ascii', latin1_data_coding = 0 }",
        "encoding.latin1_data_coding",
        "encoding.gsm7_data_coding and latin1_data_coding are both 0",
    ),
    (
        "encoding = { latin1_data_coding = 3, ascii_data_coding = 3 }",
        "encoding.latin1_data_coding",
        "encoding.latin1_data_coding and ascii_data_coding are both 3",
    ),
    (
        "encoding.ucs2_data_coding = 4",
        "encoding.ucs2_data_coding",
        "encoding.ucs2_data_coding and binary_data_coding are both 4",
    ),
    (
        "encoding = { national_tables = ['turkish'], default_alphabet = 'latin1' }",
        "encoding.national_tables",
        "encoding.national_tables shift GSM-7, but the default alphabet is latin1",
    ),
    (
        "encoding.national_tables = ['urdu', 'urdu']",
        "encoding.national_tables[1]",
        "urdu is listed twice",
    ),
    (
        "encoding.national_tables = ['urdu', 'all']",
        "encoding.national_tables[0]",
        "urdu is among all already",
    ),
    (
        "receipt_alarm_share = 0.5\nsubmit.registered_delivery = 2",
        "receipt_alarm_share",
        "receipt_alarm_share needs a",
    ),
    ("outcomes = { ESME_ROK = 'fail' }", "outcomes.ESME_ROK", "ESME_ROK is no refusal; it cannot be listed"),
    ("outcomes = { '0x0' = 'fail' }", "outcomes.0x0", "ESME_ROK is no refusal"),
    ("outcomes = { '0x58' = 'fail', '88' = 'fail' }", "outcomes.88", "is the same command_status as 0x58"),
    ("bind_refusals = { '0' = 'other' }", "bind_refusals.0", "ESME_ROK is no refusal"),
    (
        "bind_refusals = { RBINDFAIL = 'other', '0xD' = 'other' }",
        "bind_refusals.0xD",
        "is the same command_status as",
    ),
    (
        "receipts.states = { acceptd = 'DELIVRD' }",
        "receipts.states.acceptd",
        "what ACCEPTD means is said by receipts.",
    ),
    (
        "receipts.states = { failed = 'UNDELIV', FAILED = 'EXPIRED' }",
        "receipts.states.FAILED",
        "is the same word as failed; case does not count",
    ),
    (
        "addresses.source = [{ pattern = 'a', ton = 1 }, { pattern = 'a', ton = 2 }]",
        "addresses.source[1].pattern",
        "is never reached: addresses.source[0] has the same pattern",
    ),
    (
        "addresses.destination = [{ pattern = '44.*', prepend = 'x' }]",
        "addresses.destination[0].prepend",
        "must be digits: it is part of a recipient's number",
    ),
    (
        "addresses.source = [{ pattern = 'a', prepend = 'ß' }]",
        "addresses.source[0].prepend",
        "has characters outside printable ASCII",
    ),
    (
        "addresses.source = [{ pattern = 'a', prepend = '123456789012345678901' }]",
        "addresses.source[0].prepend",
        "has 21 octets; an address has at most 20",
    ),
    ("caps = [{ per = 'day', count = 1 }, { per = 'day', count = 2 }]", "caps[1]", "a second limit for each day"),
    (
        "caps = [{ per = 'day', count = 1, by_sender = true }, { per = 'day', count = 2, by_sender = true }]",
        "caps[1]",
        "a second limit for each day by sender",
    ),
    (
        "vendor_tlvs = { x = { tag = 5121 }, y = { tag = 5121 } }",
        "vendor_tlvs.y.tag",
        "0x1401 is the tag of x already",
    ),
    ("vendor_tlvs.x = { tag = 0x0424 }", "vendor_tlvs.x.tag", "0x0424 is message_payload, which the gateway sets"),
    ("vendor_tlvs.x = { tag = 0x0204 }", "vendor_tlvs.x.tag", "0x0204 is user_message_reference, which the gateway"),
    ("vendor_tlvs.x = { tag = 0x0005 }", "vendor_tlvs.x.tag", "0x0005 is dest_addr_subunit, which the gateway sets"),
    (
        "vendor_tlvs.x = { tag = 5121, value = 3 }",
        "vendor_tlvs.x.value",
        "the value must be a string, not an integer",
    ),
    (
        "vendor_tlvs.x = { tag = 5121, type = 'integer', value = 'a' }",
        "vendor_tlvs.x.value",
        "the value must be an integer, not a string",
    ),
    (
        "vendor_tlvs.x = { tag = 5121, type = 'integer', value = 256 }",
        "vendor_tlvs.x.value",
        "the value does not fit into 1 octet without a sign",
    ),
    (
        "vendor_tlvs.x = { tag = 5121, type = 'integer', octets = 2, value = -1 }",
        "vendor_tlvs.x.value",
        "the value does not fit into 2 octets without a sign",
    ),
    (
        "vendor_tlvs.x = { tag = 5121, type = 'integer', octets = 9 }",
        "vendor_tlvs.x.octets",
        "an integer has 1 to 8 octets",
    ),
    (
        "vendor_tlvs.x = { tag = 5121, type = 'octets', value = '0a1' }",
        "vendor_tlvs.x.value",
        "the value must be octets in hexadecimal",
    ),
    (
        "vendor_tlvs.x = { tag = 5121, type = 'octets', octets = 1, value = '0a1b' }",
        "vendor_tlvs.x.value",
        "the value takes 2 octets, above 1",
    ),
    (
        "vendor_tlvs.x = { tag = 5121, octets = 3, value = 'abc' }",
        "vendor_tlvs.x.value",
        "the value takes 4 octets, above 3",
    ),
    (
        "vendor_tlvs.x = { tag = 5121, value = 'ß' }",
        "vendor_tlvs.x.value",
        "the value has characters outside printable",
    ),
    (
        "vendor_tlvs.x = { tag = 5121, from_request = false }",
        "vendor_tlvs.x.from_request",
        "without a value, and without one from requests, it would never be sent",
    ),
    (
        "vendor_tlvs.x = { tag = 5121, value = 'a', required = true }",
        "vendor_tlvs.x.required",
        "required has no effect beside a value",
    ),
    # files
    ("tls = { enabled = true, ca_file = 'none.pem' }", "tls.ca_file", "/"),
    ("tls = { enabled = true, cert_file = '.' }", "tls.cert_file", "/"),
    ("tls = { enabled = true, key_file = 'smppgw.toml' }", "tls.key_file", "tls.key_file is set, but there is no"),
    ('tls = { enabled = true, ca_file = "a\\u0000b" }', "tls.ca_file", "/"),
    # ports
    ("outbind.port = 8080", "outbind.port", "8080 is taken by http.port already"),
    ("outbind = { host = '0.0.0.0', port = 8080 }", "outbind.port", "8080 is taken by http.port already"),
]


@pytest.mark.parametrize(("text", "key", "expected"), CARRIER, ids=[text for text, _, _ in CARRIER])
def test_a_mistake_of_a_carrier_is_named_by_its_key_path(tmp_path: Path, text: str, key: str, expected: str) -> None:
    given = {line.partition(" ")[0] for line in text.splitlines()}
    demo = "\n".join(line for line in DEMO.splitlines() if line.partition(" ")[0] not in given)
    found = problems(tmp_path, f"{demo}\n{text}\n")
    assert len(found) == 1, found
    assert found[0].startswith(f"carriers.demo.{key}: {expected}")


@pytest.mark.parametrize(
    "text",
    [
        "long_credentials = true\nsystem_id = '12345678901234567890'\npassword = 'much longer than eight'",
        "mode = 'pair'\nreceive_port = 2776",
        "fallbacks = ['smsc2.internal:2775', '[2001:db8::1]:2775', '10.0.0.1:2776']\ntls.enabled = false",
        "port = 3550\ntls.min_version = '1.3'",
        "submit = { command = 'data_sm', validity = 'absolute', max_validity_s = 86400 }",
        "submit = { priority = { otp = 3, bulk = 0 }, protocol_id = 0x41 }",
        "encoding = { packing = 'packed', long = 'udh16', max_octets = 120 }",
        "encoding = { latin1_data_coding = 3, ascii_data_coding = 1, binary_data_coding = 2 }",
        "encoding = { default_alphabet = 'latin1', latin1_data_coding = 0 }",
        "encoding = { national_tables = ['all'], packing = 'packed', message_class = 'subunit' }",
        "encoding = { national_tables = ['turkish', 'spanish'], long = 'auto', message_class = 'none' }",
        "submit.schedule = 'carrier'\ninterface_version = '3.3'\ntlvs = false",
        "submit = { command = 'data_sm', schedule = 'gateway' }",
        "ids = { relation = 'hex_dec', extract = '^([0-9a-f]+)(?:-[0-9]+)?$' }",
        "outcomes = { '0x411' = 'throttle', ESME_RX_T_APPN = 'reroute', RSYSERR = 'pause' }",
        "bind_refusals = { '0x401' = 'credentials', ESME_RALYBND = 'passing' }",
        "receipts.states = { FAILED = 'undeliv', '5' = 'DELIVRD', UNKNOWN = 'UNDELIV' }",
        "caps = [{ per = 'day', count = 9, time_zone = 'Europe/Rome' }, { per = 'day', count = 3, by_sender = true },"
        "{ per = 'minute', count = 1 }]",
        "vendor_tlvs.x = { tag = 0x1401, type = 'integer', octets = 4, value = 0xFFFFFFFF }",
        "vendor_tlvs.x = { tag = 0x1401, octets = 4, value = 'abc' }",
        "vendor_tlvs.x = { tag = 0x1401, type = 'octets', value = '' }",
        "vendor_tlvs.x = { tag = 0x1401, required = true }",
        "addresses.source = [{ pattern = '[0-9]{3,6}', ton = 3 }, { pattern = '44.*', strip = '44', prepend = '0' }]",
        "addresses.destination = [{ pattern = '.*', prepend = '+' }]",
        "query = { enabled = true, attempts = 1, interval_s = 60 }\nreceipt_alarm_share = 0.5\nreceipt_alarm_s = 60",
        "outbind = { port = 2777, password = 'x' }",
        "binds = 0\noutbind.port = 2777",
        "rate_per_s = 10\nrate_unit = 'messages'\nburst = 2",
    ],
)
def test_what_fits(tmp_path: Path, text: str) -> None:
    given = {line.partition(" ")[0] for line in text.splitlines()}
    demo = "\n".join(line for line in DEMO.splitlines() if line.partition(" ")[0] not in given)
    assert loaded(tmp_path, f"{demo}\n{text}\n").carriers["demo"]


@pytest.mark.parametrize("value", ["3", '"x"', "[{}]", "{ a = 1 }", "2026-01-02"])
def test_any_value_of_any_setting_is_taken_or_refused_by_name(tmp_path: Path, value: str) -> None:
    for setting in settings_of(CarrierSettings):
        demo = "\n".join(line for line in DEMO.splitlines() if line.partition(" ")[0] != setting)
        try:
            loaded(tmp_path, f"{demo}\n{setting} = {value}\n")
        except ConfigError as error:
            # A second way to give the password is told of the carrier as a whole.
            key = "carriers.demo:" if setting.startswith("password_") else f"carriers.demo.{setting}"
            assert any(problem.startswith((f"carriers.demo.{setting}", key)) for problem in error.problems), setting


def settings_of(model: type[SettingsBase], above: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield above + name
        if isinstance(field.default, SettingsBase):
            yield from settings_of(type(field.default), f"{above}{name}.")


FILES = ("ca_file", "cert_file", "key_file")
VECTORS = Path(__file__).parent / "vectors"
PEMS = {"one": VECTORS / "certificate_and_key.pem", "key": VECTORS / "other_key.pem", "text": Path(__file__)}


@pytest.mark.parametrize(
    ("tls", "key", "expected"),
    [
        ("ca_file = '{one}', cert_file = '{one}'", "", ""),
        ("cert_file = '{one}', key_file = '{one}'", "", ""),
        ("ca_file = '{text}'", "ca_file", "test_config_checks.py holds no certificate in PEM"),
        ("cert_file = '{key}'", "cert_file", "holds no certificate and key in PEM, or the key has a password"),
        ("cert_file = '{text}'", "cert_file", "holds no certificate and key in PEM, or the key has a password"),
        (
            "cert_file = '{one}', key_file = '{text}'",
            "cert_file",
            "test_config_checks.py hold no certificate",
        ),
        ("cert_file = '{one}', key_file = '{key}'", "cert_file", "other_key.pem is not the key of "),
    ],
)
def test_certificates_are_read(tmp_path: Path, tls: str, key: str, expected: str) -> None:
    text = DEMO + f"tls = {{ enabled = true, {tls.format(**PEMS)} }}"
    if not key:
        assert loaded(tmp_path, text).carriers["demo"].tls.cert_file == PEMS["one"]
        return
    (found,) = problems(tmp_path, text)
    assert found.startswith(f"carriers.demo.tls.{key}: ")
    assert expected in found


def test_every_file_that_is_missing_is_told(tmp_path: Path) -> None:
    tls = "tls = { enabled = true, ca_file = 'a', cert_file = 'b', key_file = 'c' }"
    expected = [
        f"carriers.demo.tls.{key}: {tmp_path / name} is no file" for key, name in zip(FILES, "abc", strict=True)
    ]
    assert problems(tmp_path, DEMO + tls) == expected


# ---------------------------------------------------------------------------------------------------------------- #
# Several carriers
# ---------------------------------------------------------------------------------------------------------------- #

TWO = DEMO + "{one}\n" + DEMO.replace("demo", "two") + "{two}\n" + "[[routes]]\ncarriers = ['demo', 'two']\n"


def two(one: str = "", other: str = "") -> str:
    return TWO.format(one=one, two=other)


@pytest.mark.parametrize(
    ("one", "other", "what"),
    [
        ("encoding.long = 'udh16'", "", "encoding.long"),
        ("", "encoding.max_octets = 120", "encoding.max_octets"),
        ("encoding.message_class = 'subunit'", "", "encoding.message_class"),
        ("", "encoding.national_tables = ['hindi']", "encoding.national_tables"),
        ("encoding.latin1_data_coding = 3", "", "encoding.latin1_data_coding"),
        ("", "encoding.long = 'udh8'", "encoding.long"),  # the other may widen its references
        ("submit.schedule = 'carrier'", "", "submit.schedule"),
        ("submit.registered_delivery = 0", "", "submit.registered_delivery"),
        ("submit.command = 'data_sm'", "", "submit.command"),
        ("vendor_tlvs.x = { tag = 5121 }", "", "vendor_tlvs"),
        ("vendor_tlvs.x = { tag = 5121 }", "vendor_tlvs.x = { tag = 5122 }", "vendor_tlvs"),
        ("vendor_tlvs.x = { tag = 5121 }", "vendor_tlvs.x = { tag = 5121, required = true }", "vendor_tlvs"),
    ],
)
def test_carriers_of_one_route_must_take_the_same_plan(tmp_path: Path, one: str, other: str, what: str) -> None:
    text = f"routes[0].carriers: demo and two differ in {what}; what is planned for one must fit the other as it is"
    assert problems(tmp_path, two(one, other)) == [text]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", ""),
        ("window = 5\nsubmit.service_type = 'CMT'", "rate_per_s = 5\nsubmit.validity = 'omit'"),
        ("vendor_tlvs.x = { tag = 5121, value = 'a', from_request = false }", ""),
        ("vendor_tlvs.x = { tag = 5121, value = 'a' }", "vendor_tlvs.x = { tag = 5121, value = 'b' }"),
        ("encoding.long = 'payload'", "encoding.long = 'payload'"),
        ("encoding.national_tables = ['hindi', 'urdu']", "encoding.national_tables = ['urdu', 'hindi']"),
        ("submit.schedule = 'carrier'", "submit.schedule = 'carrier'"),
    ],
)
def test_carriers_of_one_route_may_differ_in_what_is_not_planned(tmp_path: Path, one: str, other: str) -> None:
    assert len(loaded(tmp_path, two(one, other)).carriers) == 2


def test_a_carrier_is_listed_once_in_a_route(tmp_path: Path) -> None:
    found = problems(tmp_path, DEMO + "[[routes]]\ncarriers = ['demo', 'demo']")
    assert found == ["routes[0].carriers[1]: demo is listed twice"]


@pytest.mark.parametrize(
    ("one", "other", "taken"),
    [
        ("port = 2777", "port = 2777", True),
        ("port = 2777", "{ host = '0.0.0.0', port = 2777 }", True),
        ("port = 2777", "{ host = '10.0.0.7', port = 2777 }", False),
        ("port = 2777", "port = 2778", False),
        ("port = 0", "port = 0", False),
    ],
)
def test_two_cannot_listen_on_one_port(tmp_path: Path, one: str, other: str, taken: bool) -> None:
    one, other = (f"outbind.{text}" if text.startswith("port") else f"outbind = {text}" for text in (one, other))
    if taken:
        text = "carriers.two.outbind.port: 2777 is taken by carriers.demo.outbind.port already"
        assert problems(tmp_path, two(one, other)) == [text]
    else:
        assert loaded(tmp_path, two(one, other)).carriers


# ---------------------------------------------------------------------------------------------------------------- #
# Warnings
# ---------------------------------------------------------------------------------------------------------------- #


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (
            "host = 'smsc.example.com'",
            ["tls.enabled: not set: texts and password travel to smsc.example.com unencrypted"],
        ),
        ("host = '203.0.113.9'\ntls.enabled = false", []),
        ("host = '8.8.8.8'", ["tls.enabled: not set: texts and password travel to 8.8.8.8 unencrypted"]),
        ("fallbacks = ['8.8.8.8:2775']", ["tls.enabled: not set: texts and password travel to 8.8.8.8 unencrypted"]),
        (
            "fallbacks = ['[2606:4700::1111]:2775']",
            ["tls.enabled: not set: texts and password travel to 2606:4700::1111"],
        ),
        ("host = 'smsc.example.com'\nport = 3550", []),
        ("fallbacks = ['8.8.8.8:3550']", []),
        ("fallbacks = ['8.8.8.8:3550']\ntls.verify = false", ["tls.verify: is false"]),
        ("host = 'smsc.example.com'\ntls.enabled = true", []),
        ("host = 'smsc'", []),
        ("host = 'localhost'", []),
        ("host = '::1'", []),
        (
            "tls = { enabled = true, verify = false }",
            ["tls.verify: is false: whoever answers in the SMSC's place gets"],
        ),
        ("port = 3550\ntls.verify = false", ["tls.verify: is false"]),
        ("tls = { enabled = false, verify = false }", []),
        ("interface_version = '3.3'", ["interface_version: is 3.3, which has no TLVs, but tlvs is true"]),
        ("interface_version = '3.3'\ntlvs = false", []),
        (
            "long_credentials = true\nsystem_id = '1234567890123456'",
            ["long_credentials: system_id or password is longer"],
        ),
        ("long_credentials = true\npassword = '123456789'", ["long_credentials: system_id or password is longer"]),
        ("long_credentials = true", []),
        ("receipts.sniff = true", ["receipts.sniff: is on: whoever texts from a recipient's number and guesses"]),
        ("submit.registered_delivery = 0", []),
        (
            "submit.registered_delivery = 2",
            ["submit.registered_delivery: is 2: only failed ones bring a final receipt"],
        ),
        ("submit.registered_delivery = 16", ["submit.registered_delivery: is 16: no message brings a final receipt"]),
        ("submit.registered_delivery = 17", []),
        ("outbind.port = 2777", []),
        (
            "outbind = { host = '0.0.0.0', port = 2777 }",
            ["outbind.password: not set: whoever reaches the port may ask"],
        ),
        ("outbind = { host = '0.0.0.0', port = 2777, password = 'x' }", []),
        ("timers.enquire_link_s = 0", ["timers.enquire_link_s: is 0, and so is inactivity_s"]),
        (
            "[[carriers.demo.bind]]\n[[carriers.demo.bind]]\nhost = '8.8.8.8'",
            ["bind[1].tls.enabled: not set: texts and password travel to 8.8.8.8 unencrypted"],
        ),
        (
            "host = '8.8.8.8'\n[[carriers.demo.bind]]\n[[carriers.demo.bind]]",
            ["tls.enabled: not set: texts and password travel to 8.8.8.8 unencrypted"],
        ),
        ("profile = 'smpp-33'", ["receipts.sniff: is on"]),
        ("profile = 'kannel'", []),
        ("port = 3550\ntls.enabled = false", ["tls.enabled: is false, but port 3550 is that of SMPP over TLS"]),
        (
            "query.enabled = true\nsubmit.registered_delivery = 0",
            ["query.enabled: has no effect: submit.registered_delivery is 0, so no receipt can be overdue"],
        ),
        (
            "doubt_match_s = 900\ndoubt_timeout_s = 600",
            ["doubt_match_s: is 900, but a doubt ends after doubt_timeout_s, 600"],
        ),
        ("doubt_timeout_s = 600", []),
        ("receipt_alarm_share = 0.5", []),
        ("submit.schedule = 'carrier'", []),
        (
            "receipt_alarm_share = 0.5\nsubmit.schedule = 'carrier'",
            ["receipt_alarm_share: counts messages that the carrier keeps (submit.schedule): they bring no receipt"],
        ),
    ],
)
def test_warnings(tmp_path: Path, text: str, expected: list[str]) -> None:
    given = {line.partition(" ")[0] for line in text.splitlines()} if not text.startswith("[[") else set()
    demo = "\n".join(line for line in DEMO.splitlines() if line.partition(" ")[0] not in given)
    found = warnings_of(loaded(tmp_path, f"{demo}\n{text}\n"))
    assert len(found) == len(expected), found
    for warning, beginning in zip(found, expected, strict=True):
        assert warning.startswith(f"carriers.demo.{beginning}")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("password_env = 'PW'\n[[carriers.demo.bind]]\n[[carriers.demo.bind]]\npassword = 'x'", "password"),
        ("password_env = 'PW'\noutbind = { port = 2777, password = 'x' }", "outbind.password"),
    ],
)
def test_any_password_in_a_file_that_others_can_read(tmp_path: Path, text: str, key: str) -> None:
    path = write(tmp_path, DEMO.replace('password = "secret"', "") + text)
    path.chmod(0o644)
    expected = f"carriers.demo.{key}: stands in a file that others can read; chmod 600 {path}"
    assert warnings_of(load(path, {"PW": "x"}), path) == [expected]


# ---------------------------------------------------------------------------------------------------------------- #
# Words, and carriers without binds of their own
# ---------------------------------------------------------------------------------------------------------------- #


def test_a_carrier_that_only_the_smsc_opens_needs_no_host(tmp_path: Path) -> None:
    demo = DEMO.replace('host = "10.0.0.1"\n', "")
    settings = loaded(tmp_path, f"{demo}binds = 0\noutbind.port = 2777\n")
    assert settings.carriers["demo"].links() == []
    assert warnings_of(settings) == []
    (found,) = problems(tmp_path, f"{demo}outbind.port = 2777\n")
    assert found.startswith("carriers.demo.host: is missing; ")


def test_no_regular_expression_is_shown_to_people(tmp_path: Path) -> None:
    """Each pattern of a setting has words, or is a choice, of which they are made."""
    patterns = set(re.findall(r'"pattern": "(.*?)"[,}\n]', json.dumps(Settings.model_json_schema())))
    assert patterns
    for text in map(json.loads, (f'"{pattern}"' for pattern in patterns)):
        assert text in FORMS or re.fullmatch(r"\^\([a-z0-9.|\\]+\)\\z", text), text


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("window = 0", True),
        ("burst = 5", False),
        ("[http]\nport = 'x'", True),
        ("[[routes]]\ncarriers = ['none']", False),
    ],
)
def test_whether_more_may_follow_is_told(tmp_path: Path, text: str, more: bool) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, f"{DEMO}{text}\n")
    assert caught.value.more_may_follow is more
