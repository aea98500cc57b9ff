from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.charsets import NAMES
from simulator.inbound import Command, Inbound, Order, inbound_pdus, party, sequence
from smppgw.errors import Refusal
from smppgw.smpp import DataSm, DeliverSm, Tag, decode, encode, values_of
from smppgw.sms import dcs, gsm7, national, reassemble, udh
from smppgw.sms.encoding import (
    Alphabet,
    DefaultAlphabet,
    Encoding,
    Language,
    LongMessages,
    Packing,
    Waiting,
    WaitingKind,
)
from smppgw.sms.ports import port_element

from .test_charsets import SAMPLES

SAMPLE_OF = {"gsm7": "Grüße @ €[~]", "latin1": "Grüße ê ©", "ascii": "hello [~]", "ucs2": "Ја сам 😀", **SAMPLES}
UDHI = 0x40


def pdus_of(text: str = "", reference: int = 7, **options: Any) -> list[DeliverSm | DataSm]:
    """The PDUs of an inbound text, as an ESME decodes them."""
    options = {"source": "447700900001", "destination": "12345"} | options
    made = inbound_pdus(Inbound(text=text, **options), reference)
    for pdu in made:
        read = decode(encode(pdu))
        assert read == pdu
    return made


def pdu_of(text: str = "", **options: Any) -> DeliverSm | DataSm:
    (pdu,) = pdus_of(text, **options)
    return pdu


def content_of(pdu: DeliverSm | DataSm) -> bytes:
    """The user data: short_message, or message_payload where that is used instead (SMPP 3.4, 5.3.2.32)."""
    if isinstance(pdu, DeliverSm) and pdu.short_message:
        return pdu.short_message
    return pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")


def shown(pdus: Sequence[DeliverSm | DataSm], encoding: Encoding = Encoding()) -> str:  # noqa: B008 - a tuple
    """What the gateway stores of them: part by part."""
    return "".join(
        dcs.decode_text(content_of(pdu), pdu.data_coding, bool(pdu.esm_class & UDHI), encoding) for pdu in pdus
    )


# --- addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("+447700900001", (1, 1, "447700900001")),
        ("447700900001", (1, 1, "447700900001")),
        ("12345", (0, 1, "12345")),
        ("+123", (1, 1, "123")),
        ("Bank", (5, 0, "Bank")),
    ],
)
def test_addresses(typed: str, expected: tuple[int, int, str]) -> None:
    assert party(typed) == expected


def test_data_sm_has_room_for_longer_addresses() -> None:
    assert pdu_of("x", source="4" * 40, command=Command.DATA_SM).source_addr == "4" * 40


def test_the_ton_may_differ_from_part_to_part() -> None:
    pdus = pdus_of("x" * 400, source_tons=(1, 0))
    assert [(pdu.source_addr_ton, pdu.source_addr) for pdu in pdus] == [
        (1, "447700900001"),
        (0, "447700900001"),
        (1, "447700900001"),
    ]


# --- texts ----------------------------------------------------------------------------------------------------------


def test_a_short_text_is_one_pdu() -> None:
    pdu = pdu_of("STOP")
    assert isinstance(pdu, DeliverSm)
    assert (pdu.short_message, pdu.data_coding, pdu.esm_class, pdu.tlvs) == (b"STOP", 0, 0, {})


def test_the_parts_of_a_long_text_share_the_reference() -> None:
    pdus = pdus_of("ж" * 150, reference=77)
    assert [content_of(pdu)[:6].hex() for pdu in pdus] == ["0500034d0301", "0500034d0302", "0500034d0303"]
    assert {pdu.data_coding for pdu in pdus} == {8}


def _of(data_coding: int) -> str | None:
    """The alphabet by 3GPP TS 23.038 and SMPP 3.4, whatever the simulator takes it for; None: 8-bit data."""
    alphabet = dcs.describe(data_coding).alphabet
    if alphabet is Alphabet.BINARY:
        return None
    by_smpp = {5: "jis_x_0208", 6: "iso8859_5", 7: "iso8859_8", 9: "shift_jis", 10: "iso2022_jp", 13: "jis_x_0212"}
    return alphabet.value if alphabet is not None else by_smpp.get(data_coding, "ks_c_5601")


@pytest.mark.parametrize("group", range(16))
@pytest.mark.parametrize("command", Command)
def test_every_data_coding_is_read_by_the_gateway(group: int, command: Command) -> None:
    for data_coding in range(group << 4, (group + 1) << 4):
        _is_read_by_the_gateway(data_coding, command)


def _is_read_by_the_gateway(data_coding: int, command: Command) -> None:
    name = _of(data_coding)
    if name is None:
        octets = bytes(range(140))
        pdu = pdu_of(octets=octets, data_coding=data_coding, command=command)
        assert (content_of(pdu), pdu.data_coding) == (octets, data_coding)
        return
    pdu = pdu_of(SAMPLE_OF[name], data_coding=data_coding, command=command)
    assert pdu.data_coding == data_coding
    assert shown([pdu]) == SAMPLE_OF[name]
    long = SAMPLE_OF[name] * 50
    pdus = pdus_of(long, data_coding=data_coding, command=command)
    assert len(pdus) > 1
    assert {pdu.data_coding for pdu in pdus} == {data_coding}
    assert shown(pdus) == long


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("long", [*LongMessages])
@pytest.mark.parametrize("command", Command)
def test_every_alphabet_in_every_form(name: str, long: LongMessages, command: Command) -> None:
    encoding = Encoding(default_alphabet=DefaultAlphabet.UTF8) if name == "utf8" else Encoding()
    text = SAMPLE_OF[name] * 50
    pdus = pdus_of(text, alphabet=name, long=long, command=command, reference=0x1234)
    assert shown(pdus, encoding) == text
    if long is LongMessages.PAYLOAD:
        assert len(pdus) == 1
    else:
        assert len(pdus) > 1
        _assert_numbered(pdus, long)
    carried = command is Command.DATA_SM or long is LongMessages.PAYLOAD
    assert all((Tag.MESSAGE_PAYLOAD in pdu.tlvs) is carried for pdu in pdus)
    assert all(len(content_of(pdu)) <= (160 if name == "gsm7" else 140) for pdu in pdus) or len(pdus) == 1


def _assert_numbered(pdus: Sequence[DeliverSm | DataSm], long: LongMessages) -> None:
    numbers = list(range(1, len(pdus) + 1))
    if long is LongMessages.SAR:
        assert [pdu.tlvs[Tag.SAR_SEGMENT_SEQNUM][0] for pdu in pdus] == numbers
        assert {pdu.tlvs[Tag.SAR_MSG_REF_NUM] for pdu in pdus} == {b"\x12\x34"}
        assert {pdu.tlvs[Tag.SAR_TOTAL_SEGMENTS][0] for pdu in pdus} == {len(pdus)}
        assert {pdu.esm_class for pdu in pdus} == {0}
        return
    wide = long is LongMessages.UDH16
    assert [udh.concatenation(content_of(pdu)) for pdu in pdus] == [
        (0x1234 if wide else 0x34, len(pdus), number, wide) for number in numbers
    ]
    assert {pdu.esm_class for pdu in pdus} == {UDHI}


def test_a_payload_however_short() -> None:
    pdu = pdu_of("hi", long=LongMessages.PAYLOAD)
    assert isinstance(pdu, DeliverSm)
    assert (pdu.short_message, pdu.tlvs) == (b"", {Tag.MESSAGE_PAYLOAD: b"hi"})


@pytest.mark.parametrize("name", ["gsm7", "ucs2"])
@pytest.mark.parametrize("message_class", range(4))
def test_message_classes(name: str, message_class: int) -> None:
    pdu = pdu_of("now", alphabet=name, message_class=message_class)
    found = dcs.decode(content_of(pdu), pdu.data_coding, udhi=False)
    assert (found.text, found.message_class, found.alphabet) == ("now", message_class, name)


def test_a_class_of_octets() -> None:
    pdu = pdu_of(octets=b"\xff", message_class=1)
    assert (pdu.data_coding, content_of(pdu)) == (0x15, b"\xff")


@pytest.mark.parametrize("kind", WaitingKind)
@pytest.mark.parametrize("store", [False, True])
@pytest.mark.parametrize("count", [None, 0, 3])
def test_message_waiting(kind: WaitingKind, store: bool, count: int | None) -> None:
    asked = Waiting(kind, active=count != 0, store=store, count=count)
    pdu = pdu_of("mail", waiting=asked)
    found = dcs.decode(content_of(pdu), pdu.data_coding, bool(pdu.esm_class & UDHI))
    assert (found.text, found.waiting) == ("mail", asked)


@pytest.mark.parametrize("language", Language)
def test_national_tables(language: Language) -> None:
    letters = [letter for letter in national.SINGLE[language].values() if gsm7.try_encode(letter) is None]
    text = next(letter for letter in letters if national.encode(letter, None, language) is not None) * 3
    pdu = pdu_of(text, national=(language,))
    found = dcs.decode(content_of(pdu), pdu.data_coding, udhi=True)
    assert (found.text, found.alphabet) == (text, "gsm7")
    assert language in (found.locking, found.single)


def test_national_tables_in_parts() -> None:
    text = "ığdır şeker çiğ ağaç, Görüşürüz. " * 12
    pdus = pdus_of(text, national=(Language.TURKISH,))
    assert len(pdus) > 1
    assert shown(pdus) == text


PACKED = Encoding(packing=Packing.PACKED)


@pytest.mark.parametrize("text", ["hello", "1234567", "x" * 160, "Grüße € " * 50, "ends in a CR\r" * 30])
@pytest.mark.parametrize("torn", [False, True])
def test_packed_septets(text: str, torn: bool) -> None:
    pdus = pdus_of(text, alphabet="gsm7", packed=True, torn=torn)
    assert len(content_of(pdus[0])) <= 140
    segments = [content_of(pdu) for pdu in pdus]
    udhi = bool(pdus[0].esm_class & UDHI)
    assert reassemble.join(segments, data_coding=0, udhi=udhi, encoding=PACKED) == text


# --- octets ---------------------------------------------------------------------------------------------------------


@given(
    st.binary(max_size=900), st.integers(0, 255), st.sampled_from(list(LongMessages)), st.booleans(), st.booleans()
)
def test_octets_arrive_as_they_are(
    octets: bytes, data_coding: int, long: LongMessages, torn: bool, packed: bool
) -> None:
    packed = packed and dcs.describe(data_coding).alphabet is Alphabet.GSM7
    pdus = pdus_of(octets=octets, data_coding=data_coding, long=long, torn=torn, packed=packed)
    contents = [content_of(pdu) for pdu in pdus]
    if pdus[0].esm_class & UDHI:
        contents = [udh.split(content)[1] for content in contents]
    assert b"".join(contents) == octets
    assert {pdu.data_coding for pdu in pdus} == {data_coding}


def test_no_octets_at_all() -> None:
    pdu = pdu_of(octets=b"", data_coding=0)
    assert encode(pdu)[-1] == 0  # sm_length


def test_octets_are_8_bit_data_unless_told() -> None:
    assert pdu_of(octets=b"\x01\xff").data_coding == 4


def test_octets_with_ports() -> None:
    pdus = pdus_of(octets=bytes(200), elements=(port_element(2948, 9200),))
    elements = [udh.parse(content_of(pdu)) for pdu in pdus]
    assert elements == [[(0, bytes((7, 2, part))), (5, b"\x0b\x84\x23\xf0")] for part in (1, 2)]
    assert {pdu.esm_class for pdu in pdus} == {UDHI}


def test_a_header_that_lies() -> None:
    """UDHL beyond the end: octets and esm_class as they are given."""
    pdu = pdu_of(octets=b"\xffabc", data_coding=0, esm_class=UDHI)
    assert (pdu.esm_class, content_of(pdu)) == (UDHI, b"\xffabc")


# --- cutting --------------------------------------------------------------------------------------------------------


def test_smaller_parts() -> None:
    pdus = pdus_of("Long enough for two parts", max_octets=20)
    assert [content_of(pdu)[6:] for pdu in pdus] == [b"Long enough for", b" two parts"]
    assert shown(pdus) == "Long enough for two parts"


def test_torn_characters_come_together_again() -> None:
    text = "😀" * 200
    pdus = pdus_of(text, torn=True)
    contents = [udh.split(content_of(pdu))[1] for pdu in pdus]
    assert "�" in shown(pdus)
    assert b"".join(contents).decode("utf-16-be") == text
    escapes = pdus_of("a" * 152 + "€" + "b" * 20, torn=True)
    assert content_of(escapes[0])[-1] == gsm7.ESC
    assert reassemble.join([content_of(pdu) for pdu in escapes], data_coding=0, udhi=True)[152] == "€"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=300), st.data())
def test_any_text_in_any_form(text: str, data: st.DataObject) -> None:
    long = data.draw(st.sampled_from(list(LongMessages)))
    max_octets = data.draw(st.integers(24, 140))
    torn, utf8 = data.draw(st.booleans()), data.draw(st.booleans())
    pdus = pdus_of(
        text,
        long=long,
        max_octets=max_octets,
        torn=torn,
        alphabet="utf8" if utf8 else None,
        command=data.draw(st.sampled_from(Command)),
    )
    contents = [content_of(pdu) for pdu in pdus]
    if long is not LongMessages.PAYLOAD:
        in_septets = pdus[0].data_coding == 0 and not utf8
        assert max(map(len, contents)) <= (max_octets * 8 // 7 if in_septets else max_octets)
    if pdus[0].esm_class & UDHI:
        contents = [udh.split(content)[1] for content in contents]
    whole = b"".join(contents)
    if utf8:
        assert whole.decode() == text
    else:
        assert (gsm7.decode(whole) if pdus[0].data_coding == 0 else whole.decode("utf-16-be")) == text


# --- everything else of the PDU -------------------------------------------------------------------------------------


def test_what_is_told_wins() -> None:
    pdu = pdu_of(
        "x" * 200,
        command=Command.DATA_SM,
        long=LongMessages.PAYLOAD,
        data_coding=0xBF,
        esm_class=0x08,
        tlvs=((0x1403, b"a"), (Tag.USER_RESPONSE_CODE, b"\1"), (0x1403, b"b")),
        fields={"service_type": "CMT", "source_addr_ton": 2, "destination_addr": "999"},
    )
    assert isinstance(pdu, DataSm)
    assert (pdu.data_coding, pdu.esm_class, pdu.service_type) == (0xBF, 0x08, "CMT")
    assert (pdu.source_addr_ton, pdu.destination_addr) == (2, "999")
    assert values_of(pdu.tlvs, 0x1403) == [b"a", b"b"]
    assert pdu.tlvs[Tag.USER_RESPONSE_CODE] == b"\1"
    assert pdu.tlvs[Tag.MESSAGE_PAYLOAD] == b"x" * 200


def test_a_tlv_that_is_given_stands_in_place_of_ours() -> None:
    pdus = pdus_of("x" * 200, long=LongMessages.SAR, tlvs=((Tag.SAR_TOTAL_SEGMENTS, b"\0"),))
    assert [pdu.tlvs[Tag.SAR_TOTAL_SEGMENTS] for pdu in pdus] == [b"\0", b"\0"]
    assert [pdu.tlvs[Tag.SAR_SEGMENT_SEQNUM] for pdu in pdus] == [b"\1", b"\2"]


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        ({"text": ""}, "empty_text", "the text is empty"),
        ({"text": "", "alphabet": "utf8"}, "empty_text", "the text is empty: octets may be"),
        ({"text": "a\0b"}, "unencodable", "U+0000 at position 1"),
        ({"text": "\ud83d"}, "unencodable", "half of a surrogate pair"),
        ({"text": "Ж", "alphabet": "gsm7"}, "unencodable", "GSM-7 lacks U+0416"),
        ({"text": "Ж", "alphabet": "latin1"}, "unencodable", "Latin-1 lacks U+0416"),
        ({"text": "aЖ", "alphabet": "gsm7", "torn": True}, "unencodable", "gsm7 lacks U+0416"),
        ({"text": "Ж", "alphabet": "cp1252"}, "unencodable", "cp1252 lacks U+0416"),
        ({"text": "x" * 40_000}, "too_long", "262 segments"),
        ({"text": "x" * 40_000, "alphabet": "utf8"}, "too_long", "299 parts, 255 are possible"),
        ({"octets": bytes(66_000), "long": LongMessages.PAYLOAD}, "too_long", "a message_payload holds 65535"),
        ({"octets": bytes(9), "max_octets": 8, "elements": ((5, b"abcd"),)}, "too_long", "leaves no room"),
        ({"text": "x", "data_coding": 4}, "no_text", "data_coding 0x04 says 8-bit data: give octets"),
        ({"text": "x", "data_coding": 0, "message_class": 0}, "conflicting_fields", "what tells message_class"),
        (
            {"text": "x", "data_coding": 0, "waiting": Waiting(WaitingKind.FAX)},
            "conflicting_fields",
            "what tells message_waiting",
        ),
        ({"text": "x", "octets": b"x"}, "conflicting_fields", "leave text out"),
        ({"octets": b"x", "alphabet": "ucs2"}, "conflicting_fields", "leave alphabet out"),
        ({"octets": b"x", "waiting": Waiting(WaitingKind.FAX)}, "conflicting_fields", "say it by data_coding"),
        ({"text": "x", "alphabet": "utf8", "message_class": 1}, "conflicting_fields", "beside utf8: leave it out"),
        (
            {"text": "x", "alphabet": "latin1", "torn": True, "message_class": 1},
            "conflicting_fields",
            "beside latin1",
        ),
        (
            {"text": "x", "alphabet": "ucs2", "national": (Language.URDU,)},
            "conflicting_fields",
            "this text is to be in ucs2",
        ),
        ({"text": "x", "torn": True, "national": (Language.URDU,)}, "conflicting_fields", "torn goes without"),
        ({"text": "x", "source": "a\ud83d"}, "bad_address", "source_addr"),
        ({"text": "x", "source": "1" * 21}, "bad_address", "source_addr has 21 octets"),
        ({"text": "x", "source": "Ж"}, "bad_address", "source_addr"),
        ({"text": "x", "destination": "a\0b"}, "bad_address", "destination_addr contains NUL"),
        ({"text": "x", "fields": {"service_type": "too long"}}, "bad_field", "service_type has 8 octets"),
        ({"text": "😀" + "x" * 700, "alphabet": "gsm7"}, "unencodable", "U+1F600"),
        ({"text": "x" * 700, "max_octets": 254}, "bad_field", "short_message has 289 octets, the limit is 254"),
        ({"octets": bytes(200), "max_octets": 254, "tlvs": ((1, bytes(65_536)),)}, "bad_field", "TLV 0x0001"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name(options: dict[str, Any], code: str, told: str) -> None:
    with pytest.raises(Refusal) as refused:
        pdus_of(**options)
    assert refused.value.code == code
    assert told in refused.value.text


# --- the order of the parts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "options", "expected"),
    [
        (1, {}, [1]),
        (3, {}, [1, 2, 3]),
        (3, {"order": Order.REVERSE}, [3, 2, 1]),
        (3, {"order": (2, 1, 3)}, [2, 1, 3]),
        (3, {"order": (3, 1, 1)}, [3, 1, 1]),
        (3, {"missing": (2,)}, [1, 3]),
        (3, {"duplicate": (1, 3)}, [1, 1, 2, 3, 3]),
        (3, {"order": Order.REVERSE, "duplicate": (2,), "missing": (3,)}, [2, 2, 1]),
    ],
)
def test_sequences(parts: int, options: dict[str, Any], expected: list[int]) -> None:
    assert sequence(parts, **options) == expected


@given(st.integers(1, 9), st.randoms())
def test_shuffled_parts_are_out_of_order_and_all_there(parts: int, chance: Any) -> None:
    found = sequence(parts, Order.SHUFFLED, chance=chance.random)
    assert sorted(found) == list(range(1, parts + 1))
    assert parts == 1 or found != sorted(found)


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        ({"order": (1, 3)}, "no_such_part", "order names part 3, and the text has 2 parts"),
        ({"duplicate": (0,)}, "no_such_part", "duplicate names part 0"),
        ({"missing": (9,)}, "no_such_part", "missing names part 9"),
        ({"missing": (1, 2)}, "nothing_to_send", "every part of the text is missing"),
        ({"order": (1,), "missing": (1,)}, "nothing_to_send", "every part of the text is missing"),
    ],
)
def test_sequences_that_cannot_be(options: dict[str, Any], code: str, told: str) -> None:
    with pytest.raises(Refusal) as refused:
        sequence(2, **options)
    assert refused.value.code == code
    assert told in refused.value.text
