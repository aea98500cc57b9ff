"""A body becomes messages ready to be stored; a bad item becomes an error and touches no other."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.addresses import Address
from smppgw.api.faults import ApiError
from smppgw.api.intake import Intake, ItemError, parse, portions
from smppgw.api.item import MessageIn
from smppgw.config import (
    DefaultAlphabet,
    EncodingSettings,
    LongMessages,
    RouteSettings,
    ScheduleBy,
    SubmitCommand,
    SubmitSettings,
)
from smppgw.queue.model import Extras, Lane, NewMessage
from smppgw.sms import udh
from smppgw.sms.encoding import Numbering, OnUnencodable
from smppgw.sms.reassemble import join
from tests.api.gateway import NOW_UTC_MS, settings

GOOD = {"to": "+447700900123", "text": "Hello"}


def intake(**changes: Any) -> Intake:
    return Intake(settings(**changes))


def one(item: Any, *, account: str = "app", key: str | None = None) -> NewMessage | ItemError:
    (result,) = taken([item], account=account, key=key)
    return result


def taken(
    items: list[Any], *, made: Intake | None = None, account: str = "app", key: str | None = None
) -> list[NewMessage | ItemError]:
    return (made or intake()).messages(account, items, now_utc_ms=NOW_UTC_MS, idempotency_key=key)


def good(item: Any, **options: Any) -> NewMessage:
    result = one(item, **options)
    assert isinstance(result, NewMessage), result
    return result


def bad(item: Any, **options: Any) -> ItemError:
    result = one(item, **options)
    assert isinstance(result, ItemError), result
    return result


# ---------------------------------------------------------------------------------------------------------------- #
# The body
# ---------------------------------------------------------------------------------------------------------------- #


@pytest.mark.parametrize(
    ("body", "items"),
    [
        (b'{"to": "x"}', [{"to": "x"}]),
        (b'[{"to": "x"}, 3]', [{"to": "x"}, 3]),
        (b'\xef\xbb\xbf{"to": "x"}', [{"to": "x"}]),
        (' \n{"text": "é \\ud83d\\ude00"}'.encode(), [{"text": "é 😀"}]),
    ],
)
def test_parse(body: bytes, items: list[Any]) -> None:
    assert parse(body, max_batch=2) == items


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b"", "empty_body", "no body"),
        (b" \n", "empty_body", "no body"),
        (b'{"to": }', "not_json", "at line 1, column 8"),
        (b'[{"to": "x"},\n  {"to": "y" 1}]', "not_json", "at line 2, column 14"),
        (b'{"to": "x"} trailing', "not_json", "Extra data at line 1, column 13"),
        (b'{"to": "\xff"}', "not_json", "not UTF-8: octet 0xff at 8"),
        ('{"to": "x"}'.encode("utf-16"), "not_json", "not UTF-8"),
        (b'{"validity_s": NaN}', "not_json", "NaN is not a JSON value"),
        (b'{"validity_s": -Infinity}', "not_json", "-Infinity is not a JSON value"),
        (b"[" * 100_000 + b"]" * 100_000, "not_json", "nested too deeply"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "not_json", "nested too deeply"),
        (b"1" * 10_000, "not_json", "not JSON that can be read"),
        (b'"text"', "not_a_message", "one message, or a list"),
        (b"3", "not_a_message", "one message, or a list"),
        (b"null", "not_a_message", "one message, or a list"),
        (b"[]", "empty_batch", "no message"),
        (b"[1, 2, 3]", "batch_too_large", "holds 3 messages; the most is 2"),
    ],
)
def test_bodies_that_are_refused(body: bytes, code: str, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse(body, max_batch=2)
    assert caught.value.code == code
    assert message in caught.value.message


@given(st.binary(max_size=200))
def test_any_octets_are_items_or_an_api_error(body: bytes) -> None:
    try:
        assert parse(body, max_batch=1000)
    except ApiError as error:
        assert error.status in {400, 413, 422}


@given(st.lists(st.integers(0, 30_000).map(lambda count: {"text": "x" * count}) | st.just(5), max_size=30))
def test_portions_are_the_items_in_their_order(items: list[Any]) -> None:
    found = list(portions(items))
    assert [item for _, some in found for item in some] == items
    assert [start for start, _ in found] == [sum(len(some) for _, some in found[:at]) for at in range(len(found))]
    for _, some in found:
        assert sum(len(item["text"]) for item in some[:-1] if isinstance(item, dict)) <= 20_000


def test_a_usual_batch_is_one_portion() -> None:
    assert len(list(portions([{"to": "+447700900123", "text": "x" * 100}] * 100))) == 1


# ---------------------------------------------------------------------------------------------------------------- #
# Good items
# ---------------------------------------------------------------------------------------------------------------- #


def test_a_message_with_the_accounts_defaults() -> None:
    message = good({"to": "07700 900123", "text": "Hello €"})
    assert message == NewMessage(
        account="app",
        carrier="demo",
        lane=Lane.TRANSACTIONAL,
        source=Address(5, 0, "Example"),
        destination=Address(1, 1, "447700900123"),
        text="Hello €",
        alphabet="gsm7",
        data_coding=0,
        esm_class=0,
        segments=(b"Hello \x1b\x65",),
        registered_delivery=1,
        validity_ms=172_800_000,
        client_ref=None,
        idempotency_key=None,
        digest=message.digest,
    )
    assert len(message.digest) == 16


def test_a_message_that_says_everything() -> None:
    message = good(
        {"to": "+33639980001", "text": "Привет", "from": "60001", "lane": "otp", "validity_s": 90, "client_ref": "r1"}
    )
    assert message.carrier == "french"
    assert message.registered_delivery == 0  # that carrier has no receipts
    assert (message.lane, message.validity_ms) == (Lane.OTP, 90_000)
    assert message.source.addr == "60001"
    assert (message.alphabet, message.data_coding) == ("ucs2", 8)
    assert message.segments == ("Привет".encode("utf-16-be"),)
    assert (message.client_ref, message.idempotency_key) == ("r1", "ref:r1")


def test_null_is_absent() -> None:
    nothing = dict.fromkeys(("from", "lane", "validity_s", "client_ref"))
    assert good({**GOOD, **nothing}) == good(GOOD)


def test_a_long_message_leaves_its_reference_to_the_store() -> None:
    message = good({"to": "+447700900123", "text": "x" * 161})
    assert message.numbering is Numbering.NARROW
    assert [segment[:6].hex() for segment in message.segments] == ["050003000201", "050003000202"]
    assert join(message.segments, data_coding=message.data_coding, udhi=True) == "x" * 161
    assert good(GOOD).numbering is Numbering.NONE and good(GOOD).widened is None


def test_a_long_message_can_be_planned_anew_with_16_bits() -> None:
    message = good({"to": "+447700900123", "text": "x" * 153 + "y" * 153})
    assert message.widened is not None and len(message.segments) == 2
    wide = message.widened()
    assert wide is not None and len(wide) == 3, "152 septets beside 7 octets of UDH"
    assert {segment[:3] for segment in wide} == {b"\x06\x08\x04"}
    assert join(wide, data_coding=message.data_coding, udhi=True) == message.text


def test_where_the_account_allows_no_more_segments_it_cannot() -> None:
    message = good({"to": "+442079460000", "text": "x" * 306, "from": "Me"}, account="other")
    assert len(message.segments) == 2 and message.widened is not None
    assert message.widened() is None


def test_what_was_replaced_stays_so_when_it_is_planned_anew() -> None:
    message = good({**GOOD, "text": "“" + "x" * 161, "smart_encoding": True})
    assert message.widened is not None
    wide = message.widened()
    assert wide is not None
    assert join(wide, data_coding=message.data_coding, udhi=True) == '"' + "x" * 161


def test_octets_can_be_planned_anew_too() -> None:
    message = good({"to": "+447700900123", "octets": "00" * 200, "ports": {"destination": 5000}})
    assert message.widened is not None
    wide = message.widened()
    assert wide is not None
    assert [udh.parse(segment)[0][0] for segment in wide] == [8, 8]
    assert b"".join(udh.split(segment)[1] for segment in wide) == bytes(200)


def sent_as(**encoding: Any) -> list[NewMessage]:
    """A long message and a short one over a carrier with this encoding."""
    demo = settings().carriers["demo"].model_copy(update={"encoding": EncodingSettings(**encoding)})
    french = settings().carriers["french"]
    made = Intake(settings(carriers={"demo": demo, "french": french}))
    long = {"to": "+447700900123", "text": "x" * 161}
    found = [one for one in taken([long, GOOD], made=made) if isinstance(one, NewMessage)]
    assert len(found) == 2
    return found


@pytest.mark.parametrize(
    ("how", "numbering", "header"),
    [(LongMessages.UDH8, Numbering.NARROW, "050003000201"), (LongMessages.UDH16, Numbering.WIDE, "06080400000201")],
)
def test_references_have_as_many_bits_as_the_carrier_takes(
    how: LongMessages, numbering: Numbering, header: str
) -> None:
    long, _ = sent_as(long=how)
    assert (long.numbering, long.widened) == (numbering, None)
    assert long.segments[0].hex().startswith(header)


def test_parts_told_by_sar() -> None:
    long, short = sent_as(long=LongMessages.SAR)
    assert (long.numbering, short.numbering) == (Numbering.SAR, Numbering.NONE)
    assert (long.extras, short.extras, long.widened) == (None, None, None)
    assert (long.esm_class, long.segments) == (0, (b"x" * 153, b"x" * 8))


def test_a_payload_is_one_segment() -> None:
    first, short = sent_as(long=LongMessages.PAYLOAD)
    assert (first.extras, first.segments, first.esm_class) == (Extras(payload=True), (b"x" * 161,), 0)
    assert (short.extras, short.segments) == (None, (b"Hello",))


def test_the_alphabet_is_the_carriers() -> None:
    demo = settings().carriers["demo"]
    latin = demo.model_copy(update={"encoding": EncodingSettings(default_alphabet=DefaultAlphabet.LATIN1)})
    made = Intake(settings(carriers={"demo": latin, "french": settings().carriers["french"]}))
    ours, theirs = taken([{**GOOD, "text": "ü"}, {"to": "+33639980001", "text": "ü"}], made=made)
    assert isinstance(ours, NewMessage) and isinstance(theirs, NewMessage)
    assert (ours.segments, theirs.segments) == ((b"\xfc",), (b"\x7e",))


def test_what_the_carrier_gets_beside_the_text() -> None:
    message = good({**GOOD, "service_type": "CMT", "tlvs": {"product": 7}})
    assert message.extras == Extras(service_type="CMT", tlvs=((0x1401, b"\0\x07"),))
    assert bad({**GOOD, "to": "+33639980001", "tlvs": {"product": 7}}).code == "tlv_unknown"  # french has none


def test_the_other_carriers_of_the_route_are_kept_in_order() -> None:
    assert good(GOOD).alternatives == ()
    both = [RouteSettings(carriers=["demo", "french"])]
    (message,) = taken([GOOD], made=Intake(settings(routes=both)))
    assert isinstance(message, NewMessage)
    assert (message.carrier, message.alternatives) == ("demo", ("french",))


def test_what_a_later_carrier_would_never_see_is_refused() -> None:
    french = settings().carriers["french"]
    data_sm = french.model_copy(update={"submit": SubmitSettings(command=SubmitCommand.DATA_SM)})
    carriers = {"demo": settings().carriers["demo"], "french": data_sm}
    made = Intake(settings(carriers=carriers, routes=[RouteSettings(carriers=["demo", "french"])]))
    plain, priority, product = taken([GOOD, {**GOOD, "priority": 1}, {**GOOD, "service_type": "X"}], made=made)
    assert isinstance(plain, NewMessage) and isinstance(product, NewMessage)
    assert isinstance(priority, ItemError)
    assert (priority.code, priority.field) == ("field_unsupported", "priority")
    assert "french is sent data_sm" in priority.message


# ---------------------------------------------------------------------------------------------------------------- #
# What is asked for the content
# ---------------------------------------------------------------------------------------------------------------- #


def test_what_was_replaced_is_kept_beside_what_was_given() -> None:
    given = "“It’s late” – see you…"
    message = good({**GOOD, "text": given, "smart_encoding": True})
    assert (message.text, message.alphabet, message.data_coding) == (given, "gsm7", 0)
    assert message.segments == (b'"It\'s late" - see you...',)
    assert message.extras is not None
    assert message.extras.sent_text == '"It\'s late" - see you...'
    assert message.extras.replaced == ((0, "“", '"'), (3, "’", "'"), (10, "”", '"'), (12, "–", "-"), (21, "…", "..."))
    assert good({**GOOD, "text": given}).alphabet == "ucs2"


def test_the_accounts_wishes_hold_where_the_item_says_nothing() -> None:
    base = settings().accounts["app"]
    app = base.model_copy(update={"smart_encoding": True, "on_unencodable": OnUnencodable.REFUSE})
    made = Intake(settings(accounts={"app": app}))
    quoted, cyrillic, plainly, allowed, priority = taken(
        [
            {**GOOD, "text": "“x”"},
            {**GOOD, "text": "Привет"},
            {**GOOD, "text": "“x”", "smart_encoding": False, "on_unencodable": "ucs2"},
            {**GOOD, "text": "Привет", "on_unencodable": "transliterate"},
            {**GOOD, "text": "“x”", "priority": 1},
        ],
        made=made,
    )
    assert isinstance(quoted, NewMessage) and quoted.extras == Extras(
        sent_text='"x"', replaced=((0, "“", '"'), (2, "”", '"'))
    )
    assert isinstance(cyrillic, ItemError) and (cyrillic.code, cyrillic.field) == ("unencodable", "text")
    assert isinstance(plainly, NewMessage) and plainly.alphabet == "ucs2"
    assert isinstance(allowed, NewMessage) and allowed.segments == (b"Privet",)
    assert isinstance(priority, NewMessage) and priority.segments == (b'"x"',)


def test_octets_and_what_they_say() -> None:
    message = good({"to": "+447700900123", "octets": "00 ff 41", "udh": "06050415820000"})
    assert (message.alphabet, message.data_coding, message.esm_class) == ("binary", 4, 0x40)
    assert message.segments == (bytes.fromhex("0605041582000000ff41"),)
    assert message.text == "\\x00\\xffA"
    greek = good({"to": "+447700900123", "octets": "03b1", "data_coding": 8})
    assert (greek.text, greek.data_coding, greek.esm_class) == ("α", 8, 0)


def test_a_wap_push_is_shown_as_what_people_read() -> None:
    message = good({"to": "+447700900123", "wap_push": {"url": "http://www.example.com/a", "text": "Look"}})
    assert (message.text, message.alphabet, message.esm_class) == ("Look http://www.example.com/a", "binary", 0x40)
    assert udh.parse(message.segments[0]) == [(5, bytes.fromhex("0b8423f0"))]


def test_the_protocol_id_of_a_replace_type() -> None:
    assert good({**GOOD, "replace_type": 3}).extras == Extras(protocol_id=0x43)


# ---------------------------------------------------------------------------------------------------------------- #
# Times
# ---------------------------------------------------------------------------------------------------------------- #

LATER = "2026-01-02T04:04:05.678Z"  # an hour after now
HOUR_MS = 3_600_000


def test_a_message_for_later_waits_and_its_validity_counts_from_then() -> None:
    message = good({**GOOD, "send_at": LATER, "validity_s": 60})
    assert (message.due_utc_ms, message.validity_ms) == (NOW_UTC_MS + HOUR_MS, HOUR_MS + 60_000)
    assert message.extras is None


def test_valid_until() -> None:
    message = good({**GOOD, "valid_until": LATER})
    assert (message.due_utc_ms, message.validity_ms) == (0, HOUR_MS)


def test_a_time_that_is_over_means_at_once() -> None:
    message = good({**GOOD, "send_at": "2026-01-02T03:04:05Z", "validity_s": 60})
    assert (message.due_utc_ms, message.validity_ms) == (0, 60_000)


@pytest.mark.parametrize(("command", "kept_by_carrier"), [("submit_sm", True), ("data_sm", False)])
def test_a_carrier_that_keeps_messages_until_their_time(command: str, kept_by_carrier: bool) -> None:
    submit = SubmitSettings(schedule=ScheduleBy.CARRIER, command=SubmitCommand(command))
    demo = settings().carriers["demo"].model_copy(update={"submit": submit})
    made = Intake(settings(carriers={"demo": demo, "french": settings().carriers["french"]}))
    (message,) = taken([{**GOOD, "send_at": LATER}], made=made)
    assert isinstance(message, NewMessage)
    at = NOW_UTC_MS + HOUR_MS
    assert message.due_utc_ms == (0 if kept_by_carrier else at), "data_sm has no field for it"
    assert message.extras == (Extras(schedule_utc_ms=at) if kept_by_carrier else None)


# ---------------------------------------------------------------------------------------------------------------- #
# Bad items
# ---------------------------------------------------------------------------------------------------------------- #


@pytest.mark.parametrize(
    ("item", "code", "field", "message"),
    [
        (3, "not_an_object", "", "a JSON object"),
        (None, "not_an_object", "", "a JSON object"),
        ([GOOD], "not_an_object", "", "a JSON object"),
        ({}, "missing_field", "to", "to: field required; text: field required"),
        ({"to": "+447700900123"}, "missing_field", "text", "field required"),
        ({**GOOD, "form": "x"}, "unknown_field", "form", "did you mean from?"),
        ({**GOOD, "sender": "x"}, "unknown_field", "sender", "there is no field sender"),
        ({**GOOD, "x" * 100: 1}, "unknown_field", "x" * 61 + "...", "there is no field xxx"),
        ({"to": 447700900123, "text": "x"}, "wrong_type", "to", "to: input should be a valid string"),
        ({**GOOD, "text": None}, "wrong_type", "text", "valid string"),
        ({**GOOD, "validity_s": "90"}, "wrong_type", "validity_s", "valid number"),
        ({**GOOD, "validity_s": True}, "wrong_type", "validity_s", "valid number"),
        ({**GOOD, "validity_s": 0.5}, "invalid_value", "validity_s", "greater than or equal to 1"),
        ({**GOOD, "validity_s": 10**400}, "wrong_type", "validity_s", "valid number"),
        ({**GOOD, "validity_s": 259_201}, "validity_too_long", "validity_s", "259200 s"),
        ({**GOOD, "lane": "bulky"}, "lane_unknown", "lane", "did you mean bulk?"),
        ({**GOOD, "lane": "OTP"}, "lane_unknown", "lane", "otp, transactional, bulk"),
        ({**GOOD, "client_ref": ""}, "invalid_value", "client_ref", "at least 1"),
        ({**GOOD, "client_ref": "x" * 65}, "invalid_value", "client_ref", "at most 64"),
        ({**GOOD, "text": ""}, "empty_text", "text", "empty"),
        ({**GOOD, "text": "x" * 2000}, "too_long", "text", "needs 14 segments"),
        ({**GOOD, "text": "a\0b"}, "unencodable", "text", "U+0000 at position 1"),
        ({**GOOD, "text": "ab\ud83d"}, "unencodable", "text", "U+D83D at position 2"),
        ({**GOOD, "client_ref": "\udc00"}, "unencodable", "client_ref", "U+DC00 at position 0"),
        ({**GOOD, "to": "+44\0"}, "unencodable", "to", "position 3"),
        ({**GOOD, "from": "\ud800"}, "unencodable", "from", "position 0"),
        ({**GOOD, "lane": "\0"}, "unencodable", "lane", "position 0"),
        ({**GOOD, "\ud800": 1}, "unknown_field", "\ud800", "there is no field"),
        ({"to": "letters", "text": "x"}, "recipient_letters", "to", "recipient"),
        ({"to": "", "text": "x"}, "recipient_empty", "to", "recipient"),
        ({**GOOD, "from": "Far too long a name"}, "sender_too_long", "from", "sender"),
        ({**GOOD, "from": ""}, "sender_empty", "from", "sender"),
    ],
)
def test_bad_items(item: Any, code: str, field: str, message: str) -> None:
    error = bad(item)
    assert (error.index, error.code, error.field) == (0, code, field)
    assert message in error.message


def test_an_account_without_a_default_sender() -> None:
    error = bad({"to": "+447700900123", "text": "x"}, account="other")
    assert (error.code, error.field) == ("sender_missing", "from")


def test_limits_are_the_accounts_own() -> None:
    item = {"to": "+442079460000", "text": "x" * 400, "from": "Me"}
    assert bad(item, account="other").code == "too_long"
    assert good({**item, "text": "x" * 306}, account="other").account == "other"
    strict = bad({"to": "+447700", "text": "x", "from": "Me"}, account="other")
    assert strict.code.startswith("recipient_")


@pytest.mark.parametrize("more", [{}, {"smart_encoding": True, "on_unencodable": "transliterate"}])
def test_a_text_beyond_all_hope_is_not_even_planned(more: dict[str, Any]) -> None:
    error = bad({**GOOD, **more, "text": "“" * 6401})
    assert (error.code, error.field) == ("too_long", "text")
    assert error.message == "the text has 6401 characters; 10 segments, which are allowed, hold 1600 at most"
    assert "needs" in bad({**GOOD, **more, "text": "“" * 6400}).message


def test_items_are_numbered_within_their_request() -> None:
    found = intake().messages("app", [5, GOOD], now_utc_ms=NOW_UTC_MS, idempotency_key="k", first=7)
    assert isinstance(found[0], ItemError) and found[0].index == 7
    assert isinstance(found[1], NewMessage) and found[1].idempotency_key == "key:k#8"


def test_no_route() -> None:
    error = bad({"to": "+353861234567", "text": "x", "from": "Me"}, account="other")
    assert (error.code, error.field) == ("no_route", "to")


def test_a_bad_item_touches_no_other() -> None:
    results = taken([GOOD, {"to": 1}, 7, GOOD, {**GOOD, "text": "\0"}, GOOD])
    assert [type(result) for result in results] == [
        NewMessage, ItemError, ItemError, NewMessage, ItemError, NewMessage
    ]  # fmt: skip
    assert [result.index for result in results if isinstance(result, ItemError)] == [1, 2, 4]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_TEXT = st.text(st.characters(), max_size=30)  # lone surrogates and U+0000 included
_TIMES = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat) | st.from_regex(r"\A[0-9]{15}[-+R]\Z")
_ITEMS = st.fixed_dictionaries(
    {"to": st.just("+447700900123") | _TEXT | _JSON},
    optional={
        "text": _TEXT | _JSON,
        "from": _TEXT | _JSON,
        "lane": st.sampled_from(["otp", "bulk", "x"]) | _JSON,
        "validity_s": st.floats(allow_nan=False) | _JSON,
        "client_ref": _TEXT | _JSON,
        "service_type": _TEXT | _JSON,
        "protocol_id": st.integers(-1, 256) | _JSON,
        "priority": st.integers(-1, 4) | _JSON,
        "replace_if_present": st.booleans() | _JSON,
        "tlvs": st.dictionaries(
            st.sampled_from(["campaign", "product", "token", "account_no"]) | _TEXT, st.integers() | _TEXT | _JSON
        ),
        "octets": st.sampled_from(["", "00", "0fF", "7f" * 300]) | _TEXT | _JSON,
        "wap_push": st.fixed_dictionaries(
            {"url": st.just("http://a.example") | _TEXT},
            optional={"kind": st.sampled_from(["si", "sl"]), "text": _TEXT, "action": _TEXT, "id": _TEXT | _JSON},
        )
        | _JSON,
        "alphabet": st.sampled_from(["gsm7", "ucs2", "latin1", "ascii"]) | _JSON,
        "smart_encoding": st.booleans() | _JSON,
        "on_unencodable": st.sampled_from(["ucs2", "transliterate", "refuse"]) | _JSON,
        "message_class": st.integers(-1, 4) | _JSON,
        "message_waiting": st.fixed_dictionaries(
            {"kind": st.sampled_from(["voicemail", "other"])},
            optional={"active": st.booleans(), "store": st.booleans(), "count": st.integers(-1, 256)},
        )
        | _JSON,
        "ports": st.fixed_dictionaries({"destination": st.integers(-1, 65536)}, optional={"source": st.just(9)})
        | _JSON,
        "udh": st.sampled_from(["", "00", "0401020003", "050003010201", "06050415820000", "0325"]) | _TEXT | _JSON,
        "data_coding": st.integers(-1, 256) | _JSON,
        "replace_type": st.integers(0, 8) | _JSON,
        "send_at": _TIMES | _TEXT | _JSON,
        "valid_until": _TIMES | _TEXT | _JSON,
    },
)


@given(st.lists(_ITEMS | _JSON, min_size=1, max_size=4))
def test_anything_is_a_message_or_a_named_error(items: list[Any]) -> None:
    results = taken(items, key="k")
    assert len(results) == len(items)
    for index, result in enumerate(results):
        if isinstance(result, ItemError):
            assert result.index == index and result.code and result.message
        else:
            stored = (result.text, result.client_ref or "", result.source.addr, result.destination.addr)
            assert all("\0" not in text for text in stored)
            assert "".join(stored).encode("utf-8")
            ahead_ms = max(0, result.due_utc_ms - NOW_UTC_MS)
            assert result.segments and 0 < result.validity_ms - ahead_ms <= 259_200_000


# ---------------------------------------------------------------------------------------------------------------- #
# Idempotency
# ---------------------------------------------------------------------------------------------------------------- #


def test_the_key_of_a_request_is_numbered_by_item_and_a_reference_wins() -> None:
    results = taken([GOOD, {**GOOD, "client_ref": "mine"}, GOOD], key="batch-7")
    assert [r.idempotency_key for r in results if isinstance(r, NewMessage)] == [
        "key:batch-7#0", "ref:mine", "key:batch-7#2"
    ]  # fmt: skip


def test_the_two_kinds_of_keys_cannot_meet() -> None:
    assert good({**GOOD, "client_ref": "x#0"}).idempotency_key != good(GOOD, key="ref:x").idempotency_key


@pytest.mark.parametrize(
    "change",
    [
        {"to": "+447700900124"},
        {"text": "Hello "},
        {"from": "Other"},
        {"from": "Example"},  # the account's default, but said: a change of that default would matter
        {"lane": "bulk"},
        {"validity_s": 60},
        {"client_ref": "x"},
        {"service_type": "CMT"},
        {"priority": 0},
        {"tlvs": {"campaign": "x"}},
    ],
)
def test_another_message_has_another_digest(change: dict[str, Any]) -> None:
    assert good({**GOOD, **change}).digest != good(GOOD).digest


def test_the_same_message_in_other_notation_has_the_same_digest() -> None:
    assert good({"text": "Hello", "to": "07700 900 123"}).digest == good(GOOD).digest
    assert good({**GOOD, "validity_s": 60}).digest == good({**GOOD, "validity_s": 60.0}).digest


def test_a_change_of_the_accounts_defaults_does_not_change_digests() -> None:
    base = settings()
    app = base.accounts["app"].model_copy(update={"default_sender": "New", "default_lane": "bulk"})
    (changed,) = taken([GOOD], made=Intake(settings(accounts={"app": app})))
    assert isinstance(changed, NewMessage)
    assert changed.source.addr == "New" and changed.lane is Lane.BULK
    assert changed.digest == good(GOOD).digest


def test_the_schema_for_readers_is_valid_input() -> None:
    for example in MessageIn.model_json_schema(by_alias=True)["examples"]:
        assert isinstance(one(json.loads(json.dumps(example))), NewMessage)
