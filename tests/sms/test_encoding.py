"""What one SMSC wants its texts as: every combination keeps the text, its sizes and its pairs."""

from __future__ import annotations

import pytest

from smppgw.config import EncodingSettings
from smppgw.errors import Refusal
from smppgw.sms.encoding import (
    DEFAULT_ENCODING,
    NO_WISHES,
    Alphabet,
    DefaultAlphabet,
    Encoding,
    Language,
    LongMessages,
    Packing,
    WaitingKind,
)
from smppgw.sms.plan import plan
from tests.sms.planned import check
from tests.sms.vectors import pack


def test_it_is_what_the_settings_say() -> None:
    assert EncodingSettings().as_encoding() is DEFAULT_ENCODING


@pytest.mark.parametrize("long", LongMessages)
@pytest.mark.parametrize("default_alphabet", DefaultAlphabet)
@pytest.mark.parametrize("packing", Packing)
@pytest.mark.parametrize("max_octets", [40, 133, 139, 140])
def test_every_kind_carries_texts_of_every_kind(
    long: LongMessages, default_alphabet: DefaultAlphabet, packing: Packing, max_octets: int
) -> None:
    encoding = Encoding(default_alphabet, packing, 0xF1, 0x18, long, max_octets, (Language.TURKISH,))
    for text in ("a", "ab[€]\r\n" * 60, "aä" * 200, "a" * 159 + "\r", "şığ" * 70, "क्षि👩🏽‍🚀" * 30, "您" * 200):
        made = plan(text, encoding=encoding, reference=77)
        assert made.text == text
        assert made.data_coding == (0x18 if made.alphabet is Alphabet.UCS2 else 0xF1)
        check(made, encoding, NO_WISHES, 77)


def test_names_of_languages() -> None:
    assert (Language(1).label, Language(13).label, len(Language)) == ("turkish", "urdu", 13)
    assert [kind.label for kind in WaitingKind] == ["voicemail", "fax", "email", "other"]


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
        ("but only where it has", "a" * 20 + "ä" * 117, Encoding(DefaultAlphabet.UTF8), [254], 1),
        ("139 octets: the fill bit leaves no septet more", "a" * 303, Encoding(max_octets=139), [157, 157, 7], 3),
        ("AUTO is an 8-bit reference at first", "a" * 161, Encoding(long=LongMessages.AUTO), [6 + 153, 6 + 8], 2),
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
