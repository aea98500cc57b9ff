"""What POST /v1/segments answers, from settings alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.api import schemas
from smppgw.api.faults import to_json
from smppgw.api.item import SegmentsIn
from smppgw.api.segments import MOST_POSITIONS, Previews
from smppgw.config import DefaultAlphabet, EncodingSettings, LongMessages, RouteSettings, Settings, VendorTlv
from smppgw.sms.encoding import ClassForm
from tests.api.gateway import NOW_UTC_MS, settings
from tests.api.test_views import same_shape


def answer(item: Any, *, account: str = "app", made: Settings | None = None, **options: Any) -> dict[str, Any]:
    (found,) = Previews(made or settings()).answers(account, [item], **options)
    schemas.PlansOut.model_validate({"results": [found]}, strict=True)
    if "carrier" not in found:
        same_shape(found, schemas.UnplannedOut)
        return found
    same_shape(found, schemas.PlannedOut)
    for name, model in (
        ("segments", schemas.SegmentPlanOut),
        ("forced", schemas.ForcedOut),
        ("extended", schemas.CharacterOut),
    ):
        for one in found[name]:
            same_shape(one, model)
    return found


def encoded(**encoding: Any) -> Settings:
    """`demo` with this encoding, alone."""
    demo = settings().carriers["demo"].model_copy(update={"encoding": EncodingSettings(**encoding)})
    return settings(carriers={"demo": demo}, routes=[])


def test_a_short_text() -> None:
    assert answer({"text": "It [is] 5 €"}) == {
        "index": 0,
        "carrier": "demo",
        "alphabet": "gsm7",
        "locking_shift": None,
        "single_shift": None,
        "data_coding": 0,
        "esm_class": 0,
        "dest_addr_subunit": None,
        "long": None,
        "unit": "septets",
        "segment_count": 1,
        "parts": 1,
        "max_segments": 10,
        "segments": [
            {
                "part": 1,
                "text": "It [is] 5 €",
                "used": 14,
                "left": 146,
                "octets": "4974201b3c69731b3e2035201b65",
                "udh": "",
            }
        ],
        "sent_text": None,
        "replaced": [],
        "forced": [],
        "extended": [
            {"character": "[", "code_point": "U+005B", "name": "LEFT SQUARE BRACKET", "count": 1, "positions": [3]},
            {"character": "]", "code_point": "U+005D", "name": "RIGHT SQUARE BRACKET", "count": 1, "positions": [6]},
            {"character": "€", "code_point": "U+20AC", "name": "EURO SIGN", "count": 1, "positions": [10]},
        ],
        "smart": None,
        "smart_remaining": None,
        "error": None,
    }


def test_what_forces_ucs2_and_what_smart_encoding_would_save() -> None:
    text = "“It’s late” – see you… " * 8
    found = answer({"text": text})
    assert (found["alphabet"], found["data_coding"], found["segment_count"]) == ("ucs2", 8, 3)
    assert (found["long"], found["unit"], found["esm_class"]) == ("udh8", "octets", 0x40)
    assert [segment["udh"] for segment in found["segments"]] == ["050003000301", "050003000302", "050003000303"]
    assert [(one["character"], one["count"]) for one in found["forced"]] == [
        ("“", 8), ("’", 8), ("”", 8), ("–", 8), ("…", 8)
    ]  # fmt: skip
    assert found["forced"][0]["positions"][:2] == [0, 23]
    assert found["smart"]["segment_count"] == 2 and found["smart"]["saves"] == 1
    assert found["smart"]["replaced"][0] == {"at": 0, "from": "“", "to": '"'}
    smart = answer({"text": text, "smart_encoding": True})
    assert (smart["alphabet"], smart["segment_count"], smart["smart"]) == ("gsm7", 2, None)
    assert smart["sent_text"] == '"It\'s late" - see you... ' * 8
    assert smart["replaced"] == found["smart"]["replaced"]
    assert smart["forced"] == found["forced"], "positions are those of the text that was given"


def test_which_alphabet_lacks_it() -> None:
    found = answer({"text": "é€…"}, made=encoded(default_alphabet=DefaultAlphabet.LATIN1))
    assert [(one["character"], one["lacked_by"]) for one in found["forced"]] == [("€", "latin1"), ("…", "gsm7")]
    assert [one["lacked_by"] for one in answer({"text": "é€…"})["forced"]] == ["gsm7"]


def test_smart_encoding_that_is_in_vain() -> None:
    found = answer({"text": "“Łódź”", "smart_encoding": True})
    assert (found["alphabet"], found["smart"], found["smart_remaining"]) == ("ucs2", None, ["Ł", "ó", "ź"])
    assert answer({"text": "“Łódź”"})["smart_remaining"] is None
    assert answer({"octets": "00"})["smart_remaining"] is None


def test_of_many_positions_the_first_are_told() -> None:
    (one,) = answer({"text": "…" * 50})["forced"]
    assert (one["count"], one["positions"]) == (50, list(range(MOST_POSITIONS)))


@pytest.mark.parametrize(
    ("encoding", "item", "long", "segments", "parts"),
    [
        ({}, {"text": "x" * 161}, "udh8", 2, 2),
        ({"long": LongMessages.UDH16}, {"text": "x" * 161}, "udh16", 2, 2),
        ({"long": LongMessages.SAR}, {"text": "x" * 161}, "sar", 2, 2),
        ({"long": LongMessages.PAYLOAD}, {"text": "x" * 161}, "payload", 1, 2),
        ({"long": LongMessages.SAR}, {"text": "x" * 161, "ports": {"destination": 1}}, "udh8", 2, 2),
        ({"long": LongMessages.SAR}, {"text": "x"}, None, 1, 1),
    ],
)
def test_how_the_parts_are_told(
    encoding: dict[str, Any], item: dict[str, Any], long: str | None, segments: int, parts: int
) -> None:
    found = answer(item, made=encoded(**encoding))
    assert (found["long"], found["segment_count"], found["parts"]) == (long, segments, parts)
    assert len(found["segments"]) == segments


def test_national_tables() -> None:
    found = answer({"text": "ışığı ğışı " * 14}, made=encoded(national_tables=["all"]))
    assert (found["alphabet"], found["locking_shift"], found["single_shift"]) == ("gsm7", "turkish", None)
    assert found["segments"][0]["udh"] == "03250101"


def test_a_class() -> None:
    assert answer({"text": "x", "message_class": 0})["data_coding"] == 0x10
    found = answer({"text": "x", "message_class": 0}, made=encoded(message_class=ClassForm.SUBUNIT))
    assert (found["data_coding"], found["dest_addr_subunit"]) == (0, 1)


def test_octets() -> None:
    found = answer({"octets": "00ff", "udh": "06050415820000"})
    assert (found["alphabet"], found["unit"], found["data_coding"], found["esm_class"]) == (
        "binary",
        "octets",
        4,
        0x40,
    )
    (segment,) = found["segments"]
    assert (segment["octets"], segment["udh"], segment["used"], segment["left"]) == (
        "0605041582000000ff", "06050415820000", 2, 131
    )  # fmt: skip
    assert (found["forced"], found["extended"], found["smart"]) == ([], [], None)


# ---------------------------------------------------------------------------------------------------------------- #
# The carrier
# ---------------------------------------------------------------------------------------------------------------- #


@pytest.mark.parametrize(
    ("item", "account", "carrier"),
    [
        ({"to": "+33639980001"}, "app", "french"),
        ({"to": "+442079460000"}, "other", "demo"),
        ({"to": "07700 900123"}, "app", "demo"),
        ({}, "app", "demo"),  # its route for all
        ({"to": ""}, "app", "demo"),
        ({"to": None}, "app", "demo"),
        ({"carrier": "french"}, "app", "french"),
        ({"to": "+442079460000", "carrier": "french"}, "other", "french"),
    ],
)
def test_the_carrier(item: dict[str, Any], account: str, carrier: str) -> None:
    assert answer({"text": "x", **item}, account=account)["carrier"] == carrier


@pytest.mark.parametrize(
    ("item", "account", "code", "field", "message"),
    [
        ({}, "other", "carrier_missing", "carrier", "give `to`, or `carrier`: one of demo, french"),
        ({"carrier": "frnch"}, "app", "carrier_unknown", "carrier", "did you mean french?"),
        ({"carrier": "nobody"}, "app", "carrier_unknown", "carrier", "no carrier nobody; there are demo, french"),
        ({"carrier": "x" * 500}, "app", "carrier_unknown", "carrier", "there is no carrier xxx"),
        ({"to": "+353861234567"}, "other", "no_route", "to", "no route leads to +3538"),
        ({"to": "nobody"}, "app", "recipient_letters", "to", "letter"),
        ({"to": "nobody", "carrier": "demo"}, "app", "recipient_letters", "to", "letter"),
    ],
)
def test_no_carrier(item: dict[str, Any], account: str, code: str, field: str, message: str) -> None:
    found = answer({"text": "x", **item}, account=account)
    assert (found["error"]["code"], found["error"]["field"]) == (code, field)
    assert message in found["error"]["message"] and len(found["error"]["message"]) < 200


def test_the_only_carrier_needs_no_route() -> None:
    made = settings(
        carriers={"demo": settings().carriers["demo"]}, routes=[RouteSettings(carriers=["demo"], prefixes=["+44"])]
    )
    assert answer({"text": "x"}, made=made)["carrier"] == "demo"
    assert answer({"text": "x", "to": "+33639980001"}, made=made)["error"]["code"] == "no_route"


# ---------------------------------------------------------------------------------------------------------------- #
# What would be refused
# ---------------------------------------------------------------------------------------------------------------- #


def test_too_long_is_planned_all_the_same() -> None:
    found = answer({"text": "x" * 307, "to": "+442079460000"}, account="other")
    assert (found["segment_count"], found["max_segments"], found["segments"][2]["used"]) == (3, 2, 1)
    assert found["error"]["code"] == "too_long"
    assert "needs 3 segments" in found["error"]["message"] and "2 are allowed" in found["error"]["message"]


def test_too_long_for_anybody_is_not() -> None:
    for text in ("x" * 40_000, "x" * 4_000_000):
        found = answer({"text": text})
        assert found.keys() == {"index", "error"}
        assert "10 segments, which are allowed" in found["error"]["message"]


@pytest.mark.parametrize(
    ("item", "code", "field"),
    [
        ({"from": "much too long a name"}, "sender_too_long", "from"),
        ({"lane": "slow"}, "lane_unknown", "lane"),
        ({"validity_s": 10_000_000}, "validity_too_long", "validity_s"),
        ({"valid_until": "2026-01-02T03:04:05Z"}, "valid_until_past", "valid_until"),
        ({"send_at": "soon"}, "time_invalid", "send_at"),
        ({"tlvs": {"campain": "x"}}, "tlv_unknown", "tlvs.campain"),
        ({"replace_type": 1, "text": "x" * 161}, "replace_long", "replace_type"),
    ],
)
def test_what_can_be_planned_and_would_be_refused(item: dict[str, Any], code: str, field: str) -> None:
    found = answer({"text": "x", **item}, now_utc_ms=NOW_UTC_MS)
    assert found["segments"]
    assert (found["error"]["code"], found["error"]["field"]) == (code, field)


def test_without_a_clock_times_are_left_unread() -> None:
    assert answer({"text": "x", "valid_until": "1999-01-01T00:00:00Z", "send_at": "soon"})["error"] is None


def test_what_is_not_there_yet_is_no_error() -> None:
    demo = (
        settings()
        .carriers["demo"]
        .model_copy(update={"vendor_tlvs": {"campaign": VendorTlv(tag=0x1400, required=True)}})
    )
    made = settings(carriers={"demo": demo}, routes=[])
    assert answer({"text": "x"}, made=made)["error"] is None
    assert answer({"text": "x"}, account="other", made=made)["error"] is None, "it has no default sender"
    assert answer({"text": "x", "tlvs": {"campaign": 5}}, made=made)["error"]["code"] == "tlv_invalid"


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (7, "not_an_object"),
        ({}, "missing_field"),
        ({"text": ""}, "empty_text"),
        ({"text": "a\0"}, "unencodable"),
        ({"text": "Привет", "on_unencodable": "refuse"}, "unencodable"),
        ({"text": "Привет", "alphabet": "latin1"}, "alphabet_unsupported"),
        ({"text": "Привет", "message_waiting": {"kind": "fax"}}, "waiting_not_gsm7"),
        ({"octets": "80", "data_coding": 0}, "octets_invalid"),
        ({"octets": "00", "udh": "01"}, "udh_invalid"),
        ({"wap_push": {"url": "http://a.example"}}, "wap_push_invalid"),
        ({"text": "x", "tlvs": 1}, "wrong_type"),
    ],
)
def test_what_cannot_be_planned(item: Any, code: str) -> None:
    found = answer(item)
    assert found.keys() == {"index", "error"} and found["error"]["code"] == code


def test_a_bad_item_touches_no_other() -> None:
    found = Previews(settings()).answers("app", [{"text": "x"}, 5, {"text": "y"}])
    assert [one["index"] for one in found] == [0, 1, 2]
    assert ["carrier" in one for one in found] == [True, False, True]
    assert [one["index"] for one in Previews(settings()).answers("app", [5, {"text": "x"}], first=7)] == [7, 8]


def test_the_examples_for_readers_can_be_planned() -> None:
    for example in SegmentsIn.model_json_schema(by_alias=True)["examples"]:
        assert answer(json.loads(json.dumps(example)))["error"] is None


_ANY_TEXT = st.text(st.characters(), max_size=200)  # lone surrogates and U+0000 included


@given(
    st.fixed_dictionaries(
        {"text": _ANY_TEXT},
        optional={
            "smart_encoding": st.booleans(),
            "on_unencodable": st.sampled_from(["ucs2", "transliterate", "refuse"]),
            "alphabet": st.sampled_from(["gsm7", "ucs2", "latin1", "ascii"]),
            "message_class": st.integers(0, 3),
            "udh": st.sampled_from(["00", "0401020003", "050003010201", "06050415820000"]),
        },
    ),
    st.sampled_from([{}, {"long": LongMessages.PAYLOAD}, {"national_tables": ["all"], "max_octets": 60}]),
)
def test_any_text_is_described_or_refused_by_name(item: dict[str, Any], encoding: dict[str, Any]) -> None:
    found = answer(item, made=encoded(**encoding))
    assert to_json(found)
    if "segments" in found:
        sent = item["text"] if found["sent_text"] is None else found["sent_text"]
        assert "".join(segment["text"] for segment in found["segments"]) == sent
    else:
        assert found["error"]["code"] and found["error"]["message"]
