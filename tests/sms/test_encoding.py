"""What one SMSC wants its texts as: every combination keeps the text, its sizes and its pairs."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smppgw.config import EncodingSettings
from smppgw.errors import Refusal
from smppgw.sms import gsm7, udh
from smppgw.sms.dcs import decode_text
from smppgw.sms.encoding import DEFAULT_ENCODING, DefaultAlphabet, Encoding, LongMessages, Packing
from smppgw.sms.plan import MOST_PAYLOAD_OCTETS, MOST_SHORT_MESSAGE_OCTETS, Alphabet, Plan, plan
from smppgw.sms.reassemble import join, join_parts
from tests.sms.test_plan import any_texts, gsm7_texts
from tests.sms.vectors import pack

#: data_codings of their own, to see that they are used and not the usual ones.
KINDS = [
    Encoding(alphabet, packing, 0xF1, 0x18, long)
    for alphabet, packing, long in itertools.product(DefaultAlphabet, Packing, LongMessages)
]
encodings = st.builds(
    lambda kind, max_octets: kind._replace(max_octets=max_octets),
    st.sampled_from([*KINDS, DEFAULT_ENCODING]),
    st.one_of(st.just(140), st.integers(40, 140)),
)
texts = st.one_of(gsm7_texts, any_texts, st.text(alphabet="a\r€[äΔ", min_size=1, max_size=400))


def test_it_is_what_the_settings_say() -> None:
    assert Encoding(**EncodingSettings().model_dump()) == DEFAULT_ENCODING


@given(texts, st.integers(0, 70_000), encodings)
@example("a" * 152 + "\r" + "a" * 50, 0, Encoding(packing=Packing.PACKED))
@example("a" * 159 + "\r", 0, Encoding(packing=Packing.PACKED))
@example("ä" * 160, 0, Encoding(DefaultAlphabet.UTF8))
@example("ä" * 150, 0, Encoding(DefaultAlphabet.UTF8, long=LongMessages.PAYLOAD))
def test_every_encoding_keeps_the_text(text: str, reference: int, encoding: Encoding) -> None:
    made = plan(text, reference=reference, encoding=encoding)
    rejoined = rejoin(made, encoding)
    if encoding.packs and text.endswith("\r") and made.alphabet is Alphabet.GSM7:
        # 23.038, 6.1.2.3.1: a CR at the end of an octet is written twice, and "performed" twice.
        assert rejoined in (text, text + "\r")
    else:
        assert rejoined == text
    check_sizes(made, encoding)
    check_form(made, encoding, reference)


def rejoin(made: Plan, encoding: Encoding) -> str:
    if made.esm_class == 0x40:
        return join(reversed(made.segments), data_coding=made.data_coding, udhi=True, encoding=encoding)
    return join_parts(made.segments, data_coding=made.data_coding, encoding=encoding)


def check_form(made: Plan, encoding: Encoding, reference: int) -> None:
    """How the parts are told to belong together, and which data_coding they have."""
    ucs2 = made.alphabet is Alphabet.UCS2
    assert made.data_coding == (encoding.ucs2_data_coding if ucs2 else encoding.gsm7_data_coding)
    long = len(made.segments) > 1
    assert made.sar == (long and encoding.long is LongMessages.SAR)
    assert made.esm_class == (0x40 if long and not made.sar else 0)
    assert not (made.payload and long)
    if made.esm_class:
        wide = encoding.long is LongMessages.UDH16
        told = [udh.concatenation(segment) for segment in made.segments]
        total = len(made.segments)
        assert told == [(reference % (65536 if wide else 256), total, part, wide) for part in range(1, total + 1)]
    assert made.parts == len(made.segments) or made.payload


def check_sizes(made: Plan, encoding: Encoding) -> None:
    """As the handset gets each part: packed, with a UDH when there are several; and each is a text of its own."""
    if made.payload:
        assert len(made.segments[0]) <= MOST_PAYLOAD_OCTETS
        return
    for segment in made.segments:
        assert len(segment) <= MOST_SHORT_MESSAGE_OCTETS
        header, content = udh.split(segment) if made.esm_class else (b"", segment)
        fill_bits = udh.fill_bits(len(header))
        text = join_parts([content], data_coding=made.data_coding, encoding=encoding, fill_bits=fill_bits)
        header_octets = encoding.header_octets if len(made.segments) > 1 else 0
        assert len(header) in (0, header_octets)
        if made.alphabet is Alphabet.UCS2:
            assert text.encode("utf-16-be") == content
            assert header_octets + len(content) <= encoding.max_octets
        else:
            septets = gsm7.encode(text)
            packed = header_octets + len(pack(septets, fill_bits=-header_octets * 8 % 7))
            assert packed <= encoding.max_octets or (encoding.packs and text.endswith("\r"))
        if encoding.packs:
            assert len(segment) <= encoding.max_octets


@given(texts, encodings)
def test_what_we_send_can_be_read_by_its_data_coding(text: str, encoding: Encoding) -> None:
    """A single segment, and a message_payload, by the way that inbound texts are read."""
    made = plan(text, reference=0, encoding=encoding)
    if len(made.segments) == 1 and "\ufeff" not in text and "\ufffe" not in text:
        shown = decode_text(made.segments[0], made.data_coding, False, encoding)
        assert shown.rstrip("\r") == text.rstrip("\r")


@pytest.mark.parametrize(
    ("text", "alphabet", "expected"),
    [
        ("Grüße [1]", DefaultAlphabet.LATIN1, b"Gr\xfc\xdfe [1]"),
        ("@£$", DefaultAlphabet.LATIN1, b"@\xa3$"),
        ("5 €", DefaultAlphabet.LATIN1, "5 €".encode("utf-16-be")),  # in GSM-7, not in Latin-1
        ("Δ", DefaultAlphabet.LATIN1, b"\x03\x94"),
        ("garçon", DefaultAlphabet.LATIN1, "garçon".encode("utf-16-be")),  # in Latin-1, not in GSM-7
        ("[1]", DefaultAlphabet.ASCII, b"[1]"),
        ("ü", DefaultAlphabet.ASCII, b"\x00\xfc"),
        ("`", DefaultAlphabet.ASCII, b"\x00`"),  # in ASCII, not in GSM-7
        ("5 € ü", DefaultAlphabet.UTF8, "5 € ü".encode()),
        ("ç", DefaultAlphabet.UTF8, b"\x00\xe7"),
        ("@_", DefaultAlphabet.GSM7, b"\x00\x11"),
    ],
)
def test_default_alphabets(text: str, alphabet: DefaultAlphabet, expected: bytes) -> None:
    made = plan(text, reference=0, encoding=Encoding(alphabet))
    assert made.segments == (expected,)
    assert made.data_coding == (8 if made.alphabet is Alphabet.UCS2 else 0)


@pytest.mark.parametrize(
    ("name", "text", "encoding", "sizes", "parts"),
    [
        ("a wide UDH has no fill bits", "a" * 161, Encoding(long=LongMessages.UDH16), [7 + 152, 7 + 9], 2),
        ("and UCS-2 goes by whole units", "您" * 71, Encoding(long=LongMessages.UDH16), [7 + 132, 7 + 10], 2),
        ("SAR leaves room for the UDH that it becomes", "a" * 161, Encoding(long=LongMessages.SAR), [153, 8], 2),
        ("SAR with UCS-2", "您" * 71, Encoding(long=LongMessages.SAR), [134, 8], 2),
        ("a payload is whole", "a" * 1000, Encoding(long=LongMessages.PAYLOAD), [1000], 7),
        ("a short text is no payload", "a" * 160, Encoding(long=LongMessages.PAYLOAD), [160], 1),
        ("120 octets are 137 septets", "a" * 137, Encoding(max_octets=120), [137], 1),
        ("and one more is two parts", "a" * 138, Encoding(max_octets=120), [6 + 130, 6 + 8], 2),
        ("60 units of UCS-2", "您" * 60, Encoding(max_octets=120), [120], 1),
        ("brackets are two septets in Latin-1 too", "[" * 81, Encoding(DefaultAlphabet.LATIN1), [6 + 76, 6 + 5], 2),
        ("packed: 160 in 140", "a" * 160, Encoding(packing=Packing.PACKED), [140], 1),
        ("packed: parts are full octets", "a" * 306, Encoding(packing=Packing.PACKED), [140, 140], 2),
        ("UTF-8 has more octets than sm_length says", "ä" * 160, Encoding(DefaultAlphabet.UTF8), [254, 6 + 72], 2),
    ],
)
def test_sizes(name: str, text: str, encoding: Encoding, sizes: list[int], parts: int) -> None:
    made = plan(text, reference=1, encoding=encoding)
    assert ([len(octets) for octets in made.segments], made.parts) == (sizes, parts)


def test_packed_octets_after_a_udh() -> None:
    made = plan("x" * 161, reference=5, encoding=Encoding(packing=Packing.PACKED))
    header = bytes.fromhex("0500030502")
    assert made.segments[0] == header + b"\x01" + pack(b"x" * 153, fill_bits=1)
    # 8 septets and one fill bit leave 7 bits of the last octet: a filler.
    assert made.segments[1] == header + b"\x02" + pack(b"x" * 8 + b"\r", fill_bits=1)


def test_the_parts_of_a_payload_are_what_is_limited() -> None:
    encoding = Encoding(long=LongMessages.PAYLOAD)
    assert plan("a" * 306, reference=0, max_segments=2, encoding=encoding).parts == 2
    with pytest.raises(Refusal, match="needs 3 segments in GSM-7, 2 are allowed") as caught:
        plan("a" * 307, reference=0, max_segments=2, encoding=encoding)
    assert caught.value.code == "too_long"


def test_a_payload_has_an_end() -> None:
    encoding = Encoding(DefaultAlphabet.UTF8, long=LongMessages.PAYLOAD)
    assert plan("Δ" * 32_767, reference=0, encoding=encoding).parts == 215
    with pytest.raises(Refusal, match="needs 65536 octets, a message_payload holds 65535") as caught:
        plan("Δ" * 32_768, reference=0, encoding=encoding)
    assert (caught.value.code, caught.value.field) == ("too_long", "text")
