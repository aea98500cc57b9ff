from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.smpp import STATE_NAMES, DataSm, DeliverSm, Receipt, Tag, decode, encode, format_receipt, read_receipt
from smppgw.smpp.receipts import STATES, _tokens, _words


def receipt(text: str | bytes, *, esm_class: int = 4, **fields: object) -> Receipt:
    octets = text.encode("latin-1") if isinstance(text, str) else text
    found = read_receipt(DeliverSm(short_message=octets, esm_class=esm_class, **fields))  # type: ignore[arg-type]
    assert found is not None
    return found


STANDARD = (
    "id:0123456789 sub:001 dlvrd:001 submit date:2601020304 done date:2601020305 stat:DELIVRD err:000 "
    "text:Hello, id:9 stat:UNDELIV"
)


def test_the_text_of_appendix_b() -> None:
    assert receipt(STANDARD) == Receipt(
        message_id="0123456789",
        state=2,
        stat="DELIVRD",
        error="000",
        submit_date="2601020304",
        done_date="2601020305",
        text="Hello, id:9 stat:UNDELIV",
        raw=STANDARD.encode(),
    )


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("any order", "stat:EXPIRED id:7 err:5", {"message_id": "7", "state": 3, "error": "5"}),
        (
            "any case",
            "ID:7 Stat:Delivrd ERR:0 Text:Hi",
            {"message_id": "7", "state": 2, "stat": "Delivrd", "text": "Hi"},
        ),
        (
            "text in the middle",
            "id:7 text:Hi stat:DELIVRD",
            {"message_id": "7", "state": 2, "text": "Hi stat:DELIVRD"},
        ),
        ("blank behind the colon", "id: 7 stat: DELIVRD", {"message_id": "7", "state": 2}),
        ("no blanks but commas", "id:7,sub:1,stat:DELIVRD,err:000", {"message_id": "7", "state": 2, "error": "000"}),
        ("NULs for blanks", "id:7\0stat:DELIVRD\0err:1\0", {"message_id": "7", "state": 2, "error": "1"}),
        ("lines", "id:7\r\nstat:DELIVRD\r\n", {"message_id": "7", "state": 2}),
        ("one word dates", "id:7 submitdate:1 done_date:2 stat:DELIVRD", {"submit_date": "1", "done_date": "2"}),
        (
            "dates with a clock",
            "id:7 submit date:26-01-02 03:04 stat:X",
            {"submit_date": "26-01-02 03:04", "stat": "X"},
        ),
        ("status", "id:7 status:DELIVRD", {"state": 2}),
        ("a word within a word", "grid:9 id:7 restat:UNDELIV stat:DELIVRD", {"message_id": "7", "state": 2}),
        (
            "empty values",
            "id: stat: err: text:",
            {"message_id": "", "state": None, "stat": "", "error": "", "text": ""},
        ),
        ("nothing at all", "", {"message_id": "", "state": None, "stat": "", "text": ""}),
        ("ids of any shape", "id:1b17-20be.5_f/48+x= stat:DELIVRD", {"message_id": "1b17-20be.5_f/48+x="}),
        ("unknown stat", "id:7 stat:VENDOR9", {"state": None, "stat": "VENDOR9"}),
        ("numeric stat", "id:7 stat:2", {"state": None, "stat": "2"}),
        ("text keeps its blanks", "id:7 stat:DELIVRD text: a  b ", {"text": " a  b "}),
        ("umlauts", "id:7 stat:DELIVRD text:Grüße", {"text": "Grüße"}),
    ],
)
def test_what_smscs_write(name: str, text: str, expected: dict[str, object]) -> None:
    found = receipt(text)
    assert {key: getattr(found, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("stat", "state"),
    [
        ("DELIVRD", 2), ("DELIVERED", 2), ("DELIVERD", 2), ("DELIVER", 2), ("delivrd", 2), ("ENROUTE", 1),
        ("ACCEPTD", 6), ("ACCEPTED", 6), ("ACKED", 6), ("BUFFRED", 1), ("BUFFERD", 1), ("EXPIRED", 3),
        ("DELETED", 4), ("UNDELIV", 5), ("UNDELIVERABLE", 5), ("FAILED", 5), ("UNKNOWN", 7), ("REJECTD", 8),
        ("REJECTED", 8), ("DND_REJECTED", 8), ("SKIPPED", 9), ("SCHEDLD", 0), ("", None), ("DELIVRD1", None),
    ],
)  # fmt: skip
def test_stat_words(stat: str, state: int | None) -> None:
    found = receipt(f"id:1 stat:{stat}")
    assert (found.state, found.stat) == (state, stat)


def test_the_table_of_states_is_complete() -> None:
    assert set(STATE_NAMES) == set(range(10))
    assert all(STATES[name] == state for state, name in STATE_NAMES.items())
    assert all(word == word.upper() for word in STATES)


@pytest.mark.parametrize(
    ("esm_class", "tlvs", "is_receipt"),
    [
        (0x00, {}, False),
        (0x04, {}, True),
        (0x06, {}, True),  # seen: the messaging mode's bits set as well
        (0x44, {}, True),
        (0x84, {}, True),
        (0x20, {}, True),
        (0x40, {}, False),
        (0x08, {}, False),
        (0x10, {}, False),
        (0x18, {}, False),
        (0x0C, {}, False),
        (0x24, {}, False),
        (0x00, {Tag.RECEIPTED_MESSAGE_ID: b"7\0"}, True),
        (0x00, {Tag.MESSAGE_STATE: b"\2"}, True),
        (0x08, {Tag.RECEIPTED_MESSAGE_ID: b"7\0"}, False),  # a handset's acknowledgement names a message too
        (0x10, {Tag.MESSAGE_STATE: b"\2"}, False),
        (0x00, {Tag.USER_MESSAGE_REFERENCE: b"\0\1"}, False),
    ],
)
def test_what_is_a_receipt(esm_class: int, tlvs: dict[int, bytes], is_receipt: bool) -> None:
    text = b"id:7 stat:DELIVRD"
    deliver = DeliverSm(esm_class=esm_class, short_message=text, tlvs=tlvs)
    data = DataSm(esm_class=esm_class, tlvs={**tlvs, Tag.MESSAGE_PAYLOAD: text})
    assert (read_receipt(deliver) is not None) == is_receipt
    assert (read_receipt(data) is not None) == is_receipt


@pytest.mark.parametrize(
    ("tlvs", "expected"),
    [
        ({0x1E: b"abc\0"}, ("abc", 5, "UNDELIV", "001")),
        ({0x1E: b"abc"}, ("abc", 5, "UNDELIV", "001")),
        ({0x1E: b"abc  \0junk"}, ("abc", 5, "UNDELIV", "001")),
        ({0x1E: b"\0"}, ("7", 5, "UNDELIV", "001")),
        ({0x427: b"\2"}, ("7", 2, "UNDELIV", "001")),
        ({0x427: b"\x63"}, ("7", 5, "UNDELIV", "001")),
        ({0x427: b"\0\2"}, ("7", 5, "UNDELIV", "001")),
        ({0x423: b"\3\0\x0b"}, ("7", 5, "UNDELIV", "001")),
    ],
)
def test_tlvs_win_over_the_text(tlvs: dict[int, bytes], expected: tuple[object, ...]) -> None:
    found = receipt("id:7 stat:UNDELIV err:001", tlvs=tlvs)
    assert (found.message_id, found.state, found.stat, found.error) == expected


@pytest.mark.parametrize(
    ("value", "error"), [(b"\3\0\x0b", "011"), (b"\3\1\x2c", "300"), (b"042", "042"), (b"\3", ""), (b"", "")]
)
def test_tlvs_alone(value: bytes, error: str) -> None:
    tlvs = {0x1E: b"77\0", 0x427: b"\5", 0x423: value}
    expected = Receipt("77", 5, "UNDELIV", error, "", "", "", b"")
    assert receipt("", tlvs=tlvs) == expected
    assert receipt("", tlvs=tlvs, esm_class=0) == expected


def test_the_text_may_come_in_message_payload_and_by_data_sm() -> None:
    payload: dict[int, bytes] = {Tag.MESSAGE_PAYLOAD: STANDARD.encode()}
    expected = receipt(STANDARD)
    assert receipt("", tlvs=payload) == expected
    assert read_receipt(DataSm(esm_class=4, tlvs=payload)) == expected


@pytest.mark.parametrize("data_coding", [0, 1, 3, 8])
@pytest.mark.parametrize("terminator", [False, True])
def test_any_alphabet(data_coding: int, terminator: bool) -> None:
    """What data_coding says is not always what was done: the octets decide."""
    text = "id:7 sub:1 stat:DELIVRD err:000 text:Привет"
    ucs2 = text.encode("utf-16-be") + b"\0\0" * terminator
    found = receipt(ucs2, data_coding=data_coding)
    assert (found.message_id, found.state, found.text, found.raw) == ("7", 2, "Привет", ucs2)
    found = receipt(STANDARD.encode() + b"\0" * terminator, data_coding=data_coding)
    assert (found.message_id, found.state, found.text) == ("0123456789", 2, "Hello, id:9 stat:UNDELIV")


@pytest.mark.parametrize("header", [b"\5\0\3\7\1\1", b"\0"])
def test_a_user_data_header_is_passed_over(header: bytes) -> None:
    octets = header + STANDARD.encode()
    found = receipt(octets, esm_class=0x44)
    assert (found.message_id, found.raw) == ("0123456789", octets)


def test_a_user_data_header_that_does_not_fit_is_text() -> None:
    assert receipt(b"\x7fid:1 id:7", esm_class=0x44).message_id == "7"
    assert receipt(b"", esm_class=0x44).message_id == ""


@given(
    st.binary(max_size=254),
    st.integers(0, 255),
    st.integers(0, 255),
    st.dictionaries(st.sampled_from([0x1E, 0x423, 0x427]), st.binary(max_size=5)),
)
def test_no_octets_break_the_reader(text: bytes, esm_class: int, data_coding: int, tlvs: dict[int, bytes]) -> None:
    pdu = DeliverSm(short_message=text, esm_class=esm_class, data_coding=data_coding, tlvs=tlvs)
    found = read_receipt(pdu)
    assert found is None or (found.raw == text and found.state in (None, *range(10)))


# --- writing -------------------------------------------------------------------------------------------------------


def test_format_receipt() -> None:
    octets = format_receipt(
        message_id="0123456789",
        sub=1,
        dlvrd=1,
        submit_utc_ms=1_767_323_099_999,
        done_utc_ms=1_767_323_100_000,
        stat="DELIVRD",
        err="000",
        text="The first twenty characters count",
    )
    assert octets == (
        b"id:0123456789 sub:001 dlvrd:001 submit date:2601020304 done date:2601020305 stat:DELIVRD err:000 "
        b"text:The first twenty cha"
    )


words = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=",;|"), min_size=1, max_size=20)


@given(words, st.integers(0, 9), st.integers(0, 4_000_000_000_000), words, st.text(max_size=30))
def test_what_is_written_is_read(message_id: str, state: int, at: int, err: str, text: str) -> None:
    stat = STATE_NAMES[state]
    octets = format_receipt(
        message_id=message_id, sub=1, dlvrd=1, submit_utc_ms=at, done_utc_ms=at, stat=stat, err=err, text=text
    )
    pdu = decode(encode(DeliverSm(esm_class=4, short_message=octets)))
    assert isinstance(pdu, DeliverSm)
    found = read_receipt(pdu)
    assert found is not None
    assert (found.message_id, found.state, found.stat, found.error) == (message_id, state, stat, err)
    assert found.text == text[:20].replace("\0", " ").encode("latin-1", "replace").decode("latin-1")
    assert len(found.done_date) == 10


value = st.text(st.sampled_from("0123456789abcDEF-:.,; |\0\n"), max_size=8)
PARTS = ["id:", " sub:", " dlvrd:", " submit date:", " done date:", " stat:", " err:", " text:", " Text:", "  id:"]


@given(st.lists(st.tuples(st.sampled_from(PARTS), value), max_size=10), st.tuples(*[value] * 8))
def test_the_short_road_agrees_with_the_tokenizer(parts: list[tuple[str, str]], values: tuple[str, ...]) -> None:
    anyhow = "".join(word + what for word, what in parts)
    in_order = "".join(word + what for word, what in zip(PARTS, values, strict=False))
    for text in (anyhow, in_order, f"{STANDARD}{anyhow}", STANDARD.partition(" text:")[0] + in_order):
        assert _words(text) == _tokens(text)
