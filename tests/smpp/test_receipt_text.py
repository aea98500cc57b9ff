from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smppgw.smpp.receipt_text import Fields, characters_of, fields_of, looks_like_a_receipt, tokens_of

STANDARD = (
    "id:0123456789 sub:001 dlvrd:001 submit date:2601020304 done date:2601020305 stat:DELIVRD err:000 "
    "text:Hello, id:9 stat:UNDELIV"
)


def test_the_text_of_appendix_b() -> None:
    expected = Fields("0123456789", "2601020304", "2601020305", "DELIVRD", "000", "Hello, id:9 stat:UNDELIV")
    assert fields_of(STANDARD) == tokens_of(STANDARD) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("any order", "err:5 stat:EXPIRED done date:1 id:7", Fields("7", "", "1", "EXPIRED", "5")),
        ("any case", "ID:7 STAT:delivrd Submit Date:1 TEXT:Hi", Fields("7", "1", "", "delivrd", "", "Hi")),
        ("blank behind the colon", "id: 7 stat:  DELIVRD", Fields("7", stat="DELIVRD")),
        ("blank before the colon", "id :7 stat : DELIVRD done date : 1", Fields("7", "", "1", "DELIVRD")),
        ("equals signs", "id=7 stat=DELIVRD submit date=1", Fields("7", "1", "", "DELIVRD")),
        ("commas", "id:7,sub:1,stat:DELIVRD,err:000", Fields("7", stat="DELIVRD", error="000")),
        ("semicolons", "id:7;stat:DELIVRD;err:000;", Fields("7", stat="DELIVRD", error="000")),
        ("bars", "id:7|stat:DELIVRD|err:000", Fields("7", stat="DELIVRD", error="000")),
        ("lines", "id:7\r\nstat:DELIVRD\r\n", Fields("7", stat="DELIVRD")),
        ("NULs", "id:7\0stat:DELIVRD\0err:1", Fields("7", stat="DELIVRD", error="1")),
        ("tabs", "id:7\tstat:\tDELIVRD", Fields("7", stat="DELIVRD")),
        ("dates in one word", "submitdate:1 done_date:2 id:7", Fields("7", "1", "2")),
        ("dates with hyphens", "submit-date:1 done-date:2", Fields("", "1", "2")),
        ("dates with a clock", "submit date:26-01-02 03:04 done date:26-01-02 03:04:05 stat:X",
         Fields("", "26-01-02 03:04", "26-01-02 03:04:05", "X")),
        ("longer names", "message_id:7 status:DELIVRD error:1", Fields("7", stat="DELIVRD", error="1")),
        ("unknown fields", "id:7 smsc:x ref:stat:9 foo bar stat:DELIVRD mcc:222", Fields("7", stat="DELIVRD")),
        ("a name inside a word", "grid:9 x-id:8 id:7 restat:UNDELIV stat:DELIVRD", Fields("7", stat="DELIVRD")),
        ("misspelt names", "i:1 ids:2 stats:X id:7 stat:DELIVRD", Fields("7", stat="DELIVRD")),
        ("empty values", "id: stat: err: text:", Fields()),
        ("an empty value before a comma", "id:,stat:DELIVRD", Fields(stat="DELIVRD")),
        ("an empty value before an unknown field", "id: foo stat:X", Fields("foo", stat="X")),
        ("the first counts", "id:7 stat:DELIVRD id:8 stat:UNDELIV", Fields("7", stat="DELIVRD")),
        ("text in the middle", "id:7 text:Hi there stat:DELIVRD err:1",
         Fields("7", stat="DELIVRD", error="1", text="Hi there stat:DELIVRD err:1")),
        ("text first", "text:Hi id:7 stat:X", Fields("7", stat="X", text="Hi id:7 stat:X")),
        ("text keeps its blanks", "id:7 stat:X text: a  b ", Fields("7", stat="X", text=" a  b ")),
        ("an id with colons and equals signs", "id:a:b=c stat:X", Fields("a:b=c", stat="X")),
        ("an id with dots and slashes", "id:1b17-20be.5_f/48+x= stat:X", Fields("1b17-20be.5_f/48+x=", stat="X")),
        ("nothing", "", Fields()),
        ("blanks", " \0, ", Fields()),
        ("no field", "See you at 8: do not be late", Fields()),
    ],
)  # fmt: skip
def test_what_smscs_write(name: str, text: str, expected: Fields) -> None:
    assert tokens_of(text) == fields_of(text) == expected


values = st.text(st.sampled_from("0123456789abcDEF-:=.,; |\0\n"), max_size=8)
NAMES = ["id:", " sub:", " dlvrd:", " submit date:", " done date:", " stat:", " err:", " text:", " Text:", "  id:"]


@given(st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=10), st.tuples(*[values] * 8))
@example([], ("1", "001", "001", "1", "1", "X", "1", "id:9"))
def test_the_short_road_agrees_with_the_tokenizer(parts: list[tuple[str, str]], eight: tuple[str, ...]) -> None:
    anyhow = "".join(name + value for name, value in parts)
    in_order = "".join(name + value for name, value in zip(NAMES, eight, strict=False))
    for text in (anyhow, in_order, f"{STANDARD}{anyhow}", STANDARD.partition(" text:")[0] + in_order):
        assert fields_of(text) == tokens_of(text)


digits = st.text("0123456789", min_size=1, max_size=14)
word = st.text(st.characters(min_codepoint=33, exclude_characters=",;|", exclude_categories=["Z", "C"]), min_size=1)


@given(word, digits, digits, word, word, st.text(max_size=30), st.booleans(), st.sampled_from(["text", "Text"]))
def test_the_short_road_agrees_where_it_is_taken(
    message_id: str, submit: str, done: str, stat: str, err: str, text: str, counted: bool, name: str
) -> None:
    sub = "sub:001 dlvrd:001 " if counted else ""
    whole = f"id:{message_id} {sub}submit date:{submit} done date:{done} stat:{stat} err:{err} {name}:{text}"
    assert fields_of(whole) == tokens_of(whole) == Fields(message_id, submit, done, stat, err, text)


NAMED = {"id": "message_id", "stat": "stat", "err": "error", "submit date": "submit_date", "Done Date": "done_date"}


@given(
    st.dictionaries(st.sampled_from(list(NAMED)), st.text("0123456789ABCxyz.-_", min_size=1, max_size=12)),
    st.sampled_from([" ", "\n", "; ", ",", "\0", " sub:001 ", " dlvrd:1, "]),
    st.sampled_from([":", ": ", "=", " :"]),
)
def test_any_order_any_separator(given_values: dict[str, str], between: str, colon: str) -> None:
    text = between.join(f"{name}{colon}{value}" for name, value in given_values.items())
    assert tokens_of(text) == Fields(**{NAMED[name]: value for name, value in given_values.items()})


@given(st.text(max_size=300))
def test_no_text_breaks_the_tokenizer(text: str) -> None:
    assert all(isinstance(value, str) and (value == "" or value in text) for value in tokens_of(text))


@pytest.mark.parametrize("text", ["a" * 60_000, "a " * 30_000, "id:" * 20_000, "submit " * 9_000, "\0" * 60_000])
def test_cost_does_not_grow_with_the_square_of_the_text(text: str) -> None:
    before = time.process_time()
    tokens_of(text)
    assert time.process_time() - before < 2.0


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (STANDARD, True),
        ("id:7 stat:DELIVRD", True),
        ("\n STAT=DELIVRD, ID=7", True),
        ("sub:001 id:7 stat:DELIVRD", True),
        ("id:7 text:Hi stat:DELIVRD", True),  # the shape; whether the id is an open one is for others to say
        ("id:7 text:stat:DELIVRD", False),
        ("id:7", False),
        ("stat:DELIVRD", False),
        ("id: stat:DELIVRD", False),
        ("Hello id:7 stat:DELIVRD", False),
        ("Your receipt, id:7 stat:DELIVRD", False),
        ("", False),
    ],
)
def test_the_shape_of_a_receipt(text: str, shape: bool) -> None:
    assert looks_like_a_receipt(text, fields_of(text)) == shape


# --- octets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data_coding", [0, 1, 3, 8, 0xF5])
@pytest.mark.parametrize("nuls", [0, 1, 3])
@pytest.mark.parametrize("alphabet", ["utf-16-be", "utf-16-le"])
def test_any_alphabet(data_coding: int, nuls: int, alphabet: str) -> None:
    """What data_coding says is not always what was done: the octets decide."""
    text = "id:7 sub:1 stat:DELIVRD err:000 text:Привет"
    assert characters_of(text.encode(alphabet) + b"\0\0" * nuls, data_coding, udhi=False) == text
    assert characters_of(STANDARD.encode() + b"\0" * nuls, data_coding, udhi=False) == STANDARD


def test_a_byte_order_mark_is_no_text() -> None:
    assert characters_of("\ufeffid:7".encode("utf-16-be"), 8, udhi=False) == "id:7"


def test_latin_1_keeps_every_octet() -> None:
    octets = b"id:7 text:" + bytes(range(1, 256))
    assert characters_of(octets, 0, udhi=False).encode("latin-1") == octets


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\5\0\3\7\1\1id:7", "id:7"),
        (b"\0id:7", "id:7"),
        (b"\x7fid:7", "\x7fid:7"),  # it does not fit: text
        (b"\4id:7", ""),
        (b"", ""),
    ],
)
def test_a_user_data_header_is_passed_over(octets: bytes, text: str) -> None:
    assert characters_of(octets, 0, udhi=True) == text


@given(st.binary(max_size=254), st.integers(0, 255), st.booleans())
def test_no_octets_break_it(octets: bytes, data_coding: int, udhi: bool) -> None:
    fields_of(characters_of(octets, data_coding, udhi=udhi))
