from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.smpp import (
    DEFAULT_RULES,
    STATE_NAMES,
    DataSm,
    DeliverSm,
    Receipt,
    ReceiptRules,
    Tag,
    Tlvs,
    decode,
    encode,
    format_receipt,
    read_receipt,
)


def receipt(
    text: str | bytes,
    rules: ReceiptRules = DEFAULT_RULES,
    now: int | None = None,
    *,
    esm_class: int = 4,
    **fields: object,
) -> Receipt:
    octets = text.encode("latin-1") if isinstance(text, str) else text
    pdu = DeliverSm(short_message=octets, esm_class=esm_class, **fields)  # type: ignore[arg-type]
    found = read_receipt(pdu, rules, now)
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
        done_utc_ms=1_767_323_100_000,
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
    ("stat", "state", "flags"),
    [
        ("DELIVRD", 2, ()),
        ("delivrd", 2, ()),
        ("FAILED", 5, ()),
        ("DND\x11REJECTED", 8, ()),  # an underscore in GSM 03.38
        ("", None, ()),
        ("DELIVRD1", None, ("state_unknown",)),
        ("2", None, ("state_unknown",)),
    ],
)
def test_stat(stat: str, state: int | None, flags: tuple[str, ...]) -> None:
    found = receipt(f"id:1 stat:{stat}")
    assert (found.state, found.stat, found.flags) == (state, stat.replace("\x11", "_"), flags)


RULES = ReceiptRules(states={"2": 2, "5": 5, "FAILED": 8, "XDONE": 2, "77": 3})


@pytest.mark.parametrize(
    ("stat", "state"), [("2", 2), ("5", 5), ("failed", 8), ("xDone", 2), ("DELIVRD", 2), ("3", None)]
)
def test_a_carriers_own_words_win(stat: str, state: int | None) -> None:
    assert receipt(f"id:1 stat:{stat}", RULES).state == state


@pytest.mark.parametrize(
    ("acceptd_delivered", "stat", "tlvs", "state", "flags"),
    [
        (False, "ACCEPTD", {}, 6, ()),
        (True, "ACCEPTD", {}, 2, ()),
        (True, "ACCEPTED", {}, 2, ()),
        (True, "ENROUTE", {}, 1, ()),
        (True, "", {0x427: b"\6"}, 2, ()),
        (True, "ACCEPTD", {0x427: b"\6"}, 2, ()),
        (True, "DELIVRD", {0x427: b"\6"}, 2, ()),
        (False, "DELIVRD", {0x427: b"\6"}, 6, ("states_disagree",)),
    ],
)
def test_acceptd_may_be_the_last_word(
    acceptd_delivered: bool, stat: str, tlvs: dict[int, bytes], state: int, flags: tuple[str, ...]
) -> None:
    found = receipt(f"id:1 stat:{stat}", ReceiptRules(acceptd_delivered=acceptd_delivered), tlvs=tlvs)
    assert (found.state, found.flags) == (state, flags)


def test_a_carriers_own_word_for_acceptd_wins_over_the_switch() -> None:
    rules = ReceiptRules(acceptd_delivered=True, states={"ACCEPTD": 6})
    assert receipt("id:1 stat:ACCEPTD", rules).state == 6


@pytest.mark.parametrize(
    ("stat", "tlvs", "state"),
    [
        ("ENROUTE", {}, 1),
        ("ACCEPTD", {}, 6),
        ("SCHEDLD", {}, 0),
        ("DELIVRD", {}, 1),
        ("UNDELIV", {0x427: b"\5"}, 1),
        ("", {0x427: b"\2"}, 1),
        ("ODD", {}, None),
    ],
)
def test_an_intermediate_notification_is_never_final(stat: str, tlvs: dict[int, bytes], state: int | None) -> None:
    for esm_class in (0x20, 0x60, 0x23):
        found = receipt(f"id:1 stat:{stat}", esm_class=esm_class, tlvs=tlvs)
        assert found.state == state
        assert found.stat == (stat or "DELIVRD")
    assert receipt("id:1 stat:ACCEPTD", ReceiptRules(acceptd_delivered=True), esm_class=0x20).state == 1


@pytest.mark.parametrize(
    ("stat", "told", "expected"),
    [
        ("DELIVRD", b"\2", (2, "DELIVRD", ())),
        ("DELIVRD", b"\5", (5, "DELIVRD", ("states_disagree",))),
        ("ODD", b"\5", (5, "ODD", ())),
        ("", b"\5", (5, "UNDELIV", ())),
        ("DELIVRD", b"\x63", (2, "DELIVRD", ())),
        ("", b"\x63", (None, "99", ("state_unknown",))),
        ("", b"\x4d", (3, "77", ())),
        ("DELIVRD", b"", (2, "DELIVRD", ())),
        ("DELIVRD", b"\0\5", (2, "DELIVRD", ())),
    ],
)
def test_message_state_and_stat(stat: str, told: bytes, expected: tuple[object, ...]) -> None:
    found = receipt(f"id:1 stat:{stat}", RULES, tlvs={0x427: told})
    assert (found.state, found.stat, found.flags) == expected


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
    assert receipt(b"\0", tlvs=payload) == expected
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


# --- dates, references, and what nobody reads ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date", "expected"), [("2601020305", 1_767_323_100_000), ("0000000000", None), ("2613020305", None), ("", None)]
)
def test_the_done_date_is_read(date: str, expected: int | None) -> None:
    found = receipt(f"id:1 done date:{date} stat:DELIVRD")
    assert (found.done_date, found.done_utc_ms) == (date, expected)


def test_the_done_date_is_that_of_the_carriers_zone_and_next_to_now() -> None:
    rules = ReceiptRules(zone=ZoneInfo("Asia/Kolkata"))
    assert receipt("id:1 done date:2601020835 stat:DELIVRD", rules).done_utc_ms == 1_767_323_100_000
    ambiguous = STANDARD.replace("2601020305", "201012112233")
    assert receipt(ambiguous, now=1_292_107_000_000).done_utc_ms == 1_292_106_780_000
    assert receipt(ambiguous, now=1_602_500_000_000).done_utc_ms == 1_602_501_753_000


def test_tlvs_that_nothing_was_read_from_are_kept() -> None:
    tlvs = Tlvs([(0x1E, b"7\0"), (0x427, b"\2"), (0x204, b"\x12\x34"), (0x423, b"\3\0\1")])
    tlvs.add(0x1501, b"vendor")
    tlvs.add(0x1501, b"again")
    tlvs.add(0x1D, b"absent subscriber\0")
    found = receipt("", tlvs=tlvs)
    assert found.user_message_reference == 0x1234
    assert (found.error, found.text) == ("001", "absent subscriber")
    vendor = ((0x1501, b"vendor"), (0x1D, b"absent subscriber\0"), (0x1501, b"again"))
    assert found.tlvs == vendor
    # The text's own err and text come first; then the TLV is shown beside it.
    found = receipt("err:5 text:Hi", tlvs=tlvs)
    assert (found.error, found.text) == ("5", "Hi")
    assert found.tlvs == ((0x423, b"\3\0\1"), *vendor)


@pytest.mark.parametrize(("value", "expected"), [(b"\0\7", 7), (b"\xff\xff", 65535), (b"\7", None), (b"", None)])
def test_user_message_reference(value: bytes, expected: int | None) -> None:
    assert receipt("id:1", tlvs={0x204: value}).user_message_reference == expected


# --- receipts told by their text alone -----------------------------------------------------------------------------

SNIFFING = ReceiptRules(sniff=True)


@pytest.mark.parametrize(
    ("esm_class", "text", "sniffed"),
    [
        (0, STANDARD, True),
        (0, "id:7 stat:DELIVRD", True),
        (0x40, "\0id:7 stat:DELIVRD", True),
        (0x03, "id:7 stat:DELIVRD", True),
        (0x08, STANDARD, False),  # from a handset, never a verdict
        (0x10, STANDARD, False),
        (0x18, STANDARD, False),
        (0, "Hello id:7 stat:DELIVRD", False),
        (0, "id:7", False),
        (0, "", False),
    ],
)
def test_sniffing(esm_class: int, text: str, sniffed: bool) -> None:
    pdu = DeliverSm(esm_class=esm_class, short_message=text.encode())
    found = read_receipt(pdu, SNIFFING)
    assert (found is not None) == sniffed
    assert found is None or found.sniffed
    assert read_receipt(pdu) is None, "an inbound text that merely looks like a receipt"


def test_what_says_that_it_is_a_receipt_is_not_sniffed() -> None:
    assert not receipt(STANDARD, SNIFFING).sniffed
    assert not receipt(STANDARD, SNIFFING, esm_class=0, tlvs={0x427: b"\2"}).sniffed


def test_sniffing_reads_message_payload_too() -> None:
    found = read_receipt(DataSm(tlvs={Tag.MESSAGE_PAYLOAD: STANDARD.encode()}), SNIFFING)
    assert found is not None
    assert (found.message_id, found.state, found.sniffed) == ("0123456789", 2, True)


any_tlvs = st.dictionaries(
    st.sampled_from([0x1D, 0x1E, 0x204, 0x423, 0x424, 0x427, 0x1501]), st.binary(max_size=60), max_size=5
)
any_rules = st.sampled_from(
    [DEFAULT_RULES, SNIFFING, RULES, ReceiptRules(acceptd_delivered=True, zone=ZoneInfo("Europe/Rome"))]
)


@given(
    st.binary(max_size=254) | st.text(max_size=80).map(str.encode),
    st.integers(0, 255),
    st.integers(0, 255),
    any_tlvs,
    any_rules,
    st.none() | st.integers(0, 10**13),
)
def test_read_receipt_never_raises(
    text: bytes, esm_class: int, data_coding: int, tlvs: dict[int, bytes], rules: ReceiptRules, now: int | None
) -> None:
    for pdu in (
        DeliverSm(short_message=text[:254], esm_class=esm_class, data_coding=data_coding, tlvs=tlvs),
        DataSm(esm_class=esm_class, data_coding=data_coding, tlvs={**tlvs, 0x424: text}),
    ):
        found = read_receipt(pdu, rules, now)
        if found is None:
            continue
        assert found.state in (None, *range(10))
        assert set(found.flags) <= {"states_disagree", "state_unknown"}
        assert esm_class & 0x3C != 0x20 or found.state in (None, 0, 1, 6)
        assert found.sniffed <= (rules.sniff and not esm_class & 0x3C)
