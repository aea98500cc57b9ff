"""Planning: the standard's limits, every border, and the properties that must hold for any text."""

from __future__ import annotations

import functools

import pytest
import smpplib.gsm
from hypothesis import example, given
from hypothesis import strategies as st

from smppgw.errors import Refusal
from smppgw.sms import gsm7, reassemble, udh
from smppgw.sms.plan import Alphabet, Plan, plan
from tests.sms.vectors import tpdu_octets

GSM7_CHARACTERS = "".join(gsm7.decode(bytes([septet])) for septet in range(128) if septet != gsm7.ESC)
EXTENSION_CHARACTERS = "".join(gsm7.EXTENSION.values())

gsm7_texts = st.text(alphabet=GSM7_CHARACTERS + EXTENSION_CHARACTERS * 3, min_size=1, max_size=700)
any_texts = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), st.sampled_from("a€[😀👩🏽‍🚀🇬🇧您ا")
    ),
    min_size=1,
    max_size=400,
)


@pytest.mark.parametrize(
    ("name", "text", "alphabet", "sizes"),
    [
        ("one septet", "a", "gsm7", [1]),
        ("a full single", "a" * 160, "gsm7", [160]),
        ("one more", "a" * 161, "gsm7", [6 + 153, 6 + 8]),
        ("two full parts", "a" * 306, "gsm7", [6 + 153, 6 + 153]),
        ("three parts", "a" * 307, "gsm7", [6 + 153, 6 + 153, 6 + 1]),
        ("a full single with an escape pair at its end", "a" * 158 + "€", "gsm7", [160]),
        ("an escape pair over the single's end", "a" * 159 + "€", "gsm7", [6 + 153, 6 + 8]),
        ("an escape pair over the cut", "a" * 152 + "€" + "a" * 10, "gsm7", [6 + 152, 6 + 12]),
        ("an escape pair before the cut", "a" * 151 + "€" + "a" * 10, "gsm7", [6 + 153, 6 + 10]),
        ("only escape pairs", "€" * 81, "gsm7", [6 + 152, 6 + 10]),
        ("escape pairs that cost a third part", "a" * 152 + "€" * 77, "gsm7", [6 + 152, 6 + 152, 6 + 2]),
        ("one UCS-2 unit", "ç", "ucs2", [2]),
        ("a full UCS-2 single", "您" * 70, "ucs2", [140]),
        ("one unit more", "您" * 71, "ucs2", [6 + 134, 6 + 8]),
        ("two full UCS-2 parts", "您" * 134, "ucs2", [6 + 134, 6 + 134]),
        ("a surrogate pair at the single's end", "您" * 68 + "😀", "ucs2", [140]),
        ("a surrogate pair over the cut", "您" * 66 + "😀" + "您" * 10, "ucs2", [6 + 132, 6 + 24]),
        ("a surrogate pair before the cut", "您" * 65 + "😀" + "您" * 10, "ucs2", [6 + 134, 6 + 20]),
        ("only surrogate pairs", "😀" * 36, "ucs2", [6 + 132, 6 + 12]),
        ("one character makes all of it UCS-2", "a" * 69 + "ş", "ucs2", [140]),
        ("ESC is no character of GSM-7", "a\x1b", "ucs2", [4]),
    ],
)
def test_borders(name: str, text: str, alphabet: str, sizes: list[int]) -> None:
    made = plan(text, reference=7)
    assert (made.alphabet, [len(octets) for octets in made.segments]) == (alphabet, sizes)
    assert made.data_coding == {"gsm7": 0, "ucs2": 8}[alphabet]
    assert made.esm_class == (0x40 if len(sizes) > 1 else 0)


def test_octets_of_a_whole_plan() -> None:
    assert plan("Hi @ 5€", reference=1) == Plan(Alphabet.GSM7, 0, 0, (bytes.fromhex("4869200020351B65"),))
    assert plan("Привет", reference=1) == Plan(Alphabet.UCS2, 8, 0, (bytes.fromhex("041F04400438043204350442"),))
    long = plan("x" * 160 + "\n", reference=0x1FE)
    header = bytes.fromhex("050003FE02")
    assert long.segments == (header + b"\x01" + b"x" * 153, header + b"\x02" + b"x" * 7 + b"\n")


@pytest.mark.parametrize(
    ("text", "max_segments", "code", "says"),
    [
        ("", 255, "empty_text", "empty"),
        ("a\0b", 255, "unencodable", "U+0000 at position 1"),
        ("a\ud83d", 255, "unencodable", "U+D83D at position 1"),
        ("\udfff" + "a" * 500, 1, "unencodable", "U+DFFF at position 0"),
        ("您" * 500 + "\0", 1, "unencodable", "U+0000 at position 500"),
        ("a" * (153 * 255 + 1), 255, "too_long", "needs 256 segments in GSM-7, 255 are allowed"),
        ("a" * (153 * 300), 1000, "too_long", "needs 300 segments in GSM-7, 255 are allowed"),
        ("您" * (67 * 255 + 1), 255, "too_long", "needs 256 segments in UCS-2, 255 are allowed"),
        ("a" * 307, 2, "too_long", "needs 3 segments in GSM-7, 2 are allowed"),
        ("😀" * 67, 2, "too_long", "needs 3 segments in UCS-2, 2 are allowed"),
    ],
)
def test_refusals(text: str, max_segments: int, code: str, says: str) -> None:
    with pytest.raises(Refusal) as caught:
        plan(text, reference=0, max_segments=max_segments)
    assert (caught.value.code, caught.value.field) == (code, "text")
    assert says in caught.value.text


@pytest.mark.parametrize(("text", "segments"), [("a" * 153 * 255, 255), ("您" * 67 * 255, 255), ("a" * 160, 1)])
def test_the_limit_itself_is_allowed(text: str, segments: int) -> None:
    made = plan(text, reference=0, max_segments=segments)
    assert len(made.segments) == segments
    assert reassemble.join(made.segments, data_coding=made.data_coding, udhi=segments > 1) == text


def check(text: str, reference: int) -> None:
    made = plan(text, reference=reference)
    is_gsm7 = made.alphabet is Alphabet.GSM7
    udhi = made.esm_class == 0x40
    assert is_gsm7 == (gsm7.septets(text) is not None)
    assert udhi == (len(made.segments) > 1)
    for part, octets in enumerate(made.segments, 1):
        assert tpdu_octets(octets, gsm7=is_gsm7, udhi=udhi) <= 140
        content = octets
        if udhi:
            assert udh.concatenation(octets) == (reference % 256, len(made.segments), part, False)
            content = octets[6:]
        # Each segment is a text of its own: neither begins nor ends inside a pair.
        if is_gsm7:
            assert gsm7.encode(gsm7.decode(content)) == content
        else:
            assert content.decode("utf-16-be").encode("utf-16-be") == content
    assert reassemble.join(made.segments, data_coding=made.data_coding, udhi=udhi) == text
    assert reassemble.join(reversed(made.segments), data_coding=made.data_coding, udhi=udhi) == text
    assert len(made.segments) == fewest_segments(text)


def fewest_segments(text: str) -> int:
    """The least number of segments, found by looking at every way to cut: cost[i] for the first i characters."""
    whole = gsm7.septets(text)
    if whole is not None:
        sizes, single, room = [2 if character in EXTENSION_CHARACTERS else 1 for character in text], 160, 153
    else:
        sizes, single, room = [2 if ord(character) > 0xFFFF else 1 for character in text], 70, 67
    if sum(sizes) <= single:
        return 1
    cost = [0]
    ends = [0]
    for size in sizes:
        ends.append(ends[-1] + size)
    first = 0
    for at in range(1, len(ends)):
        while ends[at] - ends[first] > room:
            first += 1
        cost.append(1 + min(cost[first:at]))
    return cost[-1]


@given(gsm7_texts, st.integers(0, 1000))
@example("a" * 152 + "€" * 77, 255)
@example("[" * 200, 256)
def test_any_gsm7_text(text: str, reference: int) -> None:
    check(text, reference)


@given(any_texts, st.integers(0, 255))
@example("您" * 66 + "😀" * 40, 0)
@example("a" * 160 + "\ufeff", 0)
@example("\ufeffа", 0)
@example("\ufffe\uffff", 0)
def test_any_text(text: str, reference: int) -> None:
    check(text, reference)


@given(st.text(alphabet=st.characters(categories=["Cs", "Lu"]) | st.just("\0"), max_size=80))
def test_whatever_is_typed_gives_a_plan_or_a_named_refusal(text: str) -> None:
    try:
        made = plan(text, reference=0)
    except Refusal as refusal:
        assert (refusal.code == "empty_text") == (text == "")
        assert refusal.code in ("empty_text", "unencodable")
        assert text == "" or "\0" in text or any(0xD800 <= ord(character) < 0xE000 for character in text)
    else:
        assert made.segments


@given(st.text(alphabet=GSM7_CHARACTERS.replace("§", ""), min_size=1, max_size=500))  # smpplib lacks that sign
def test_smpplib_cuts_plain_gsm7_the_same(text: str) -> None:
    parts, data_coding, esm_class = smpplib.gsm.make_parts(text)
    made = plan(text, reference=0)
    assert (made.data_coding, made.esm_class) == (data_coding, esm_class)
    drop_reference = functools.partial(_without_reference, udhi=made.esm_class == 0x40)
    assert list(map(drop_reference, made.segments)) == list(map(drop_reference, parts))


@given(st.text(alphabet="您好Жя", min_size=1, max_size=300))
def test_smpplib_cuts_the_basic_plane_the_same(text: str) -> None:
    parts, data_coding, esm_class = smpplib.gsm.make_parts(text)
    made = plan(text, reference=0)
    assert (made.data_coding, made.esm_class) == (data_coding, esm_class)
    drop_reference = functools.partial(_without_reference, udhi=made.esm_class == 0x40)
    assert list(map(drop_reference, made.segments)) == list(map(drop_reference, parts))


def _without_reference(octets: bytes, *, udhi: bool) -> bytes:
    return octets[:3] + octets[4:] if udhi else octets
