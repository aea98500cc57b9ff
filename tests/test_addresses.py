"""Recipients and senders: notations, refusals by name, and the tables held to phonenumbers' own parser."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smppgw import addresses
from smppgw.addresses import Address, display, recipient, sender
from smppgw.errors import Refusal

DRAMA = "447700900123"  # Ofcom keeps 07700 900000 to 900999 for drama


@pytest.mark.parametrize("region", [None, "GB", "US"])
@pytest.mark.parametrize(
    "typed",
    [
        "+447700900123",
        "+44 7700 900123",
        "+44 (0)7700 900123",
        "(+44) 7700-900-123",
        "+44.7700.900.123",
        "+44/7700/900123",
        "+44\u00a07700\u202f900\u2009123",
        "+44‑7700‑900123",  # non-breaking hyphens
        "+44–7700–900123",  # en dashes
        "+44\u22127700\u2212900123",  # minus signs
        "\u202a+44 7700 900123\u202c",  # as copied from a contact card
        "\u200e+447700900123\ufeff",
        "  +447700900123\t\n",
        "＋４４　７７００　９００１２３",
        "+٤٤ ٧٧٠٠ ٩٠٠١٢٣",
        "+۴۴ ۷۷۰۰ ۹۰۰۱۲۳",
        "+४४ ७७०० ९००१२३",
        "+๔๔ ๗๗๐๐ ๙๐๐๑๒๓",
        "0044 7700 900123",
        "00447700900123",
        "447700900123",
        "44 7700 900 123",
        "tel:+44-7700-900123",
        "TEL:+447700900123",
    ],
)
def test_international_notations(typed: str, region: str | None) -> None:
    assert recipient(typed, default_region=region) == Address(1, 1, DRAMA)


@pytest.mark.parametrize(
    ("region", "typed", "digits"),
    [
        ("GB", "07700 900123", DRAMA),
        ("GB", "07700900123", DRAMA),
        ("GB", "(07700) 900 123", DRAMA),
        ("GB", "٠٧٧٠٠٩٠٠١٢٣", DRAMA),
        ("GB", "7700 900123", DRAMA),
        ("GB", "020 7946 0018", "442079460018"),
        ("US", "(415) 555-0123", "14155550123"),
        ("US", "1-415-555-0123", "14155550123"),
        ("US", "415.555.0123", "14155550123"),
        ("US", "011 44 7700 900123", DRAMA),
        ("AU", "0491 570 006", "61491570006"),
        ("AU", "0011 44 7700 900123", DRAMA),
        ("DE", "0152 28895456", "4915228895456"),
        ("FR", "06 39 98 00 12", "33639980012"),
        ("IT", "06 6982 0000", "390669820000"),  # Italy keeps the 0
        ("IT", "+39 06 6982 0000", "390669820000"),
        ("HU", "06 20 212 5555", "36202125555"),  # trunk prefix of two digits
        ("RU", "8 (916) 123-45-67", "79161234567"),  # trunk prefix 8
        ("AR", "011 15 2345 6789", "5491123456789"),  # 15 turns into 9 before the area code
        ("BR", "0 21 11 98765-4321", "5511987654321"),  # a carrier's code after the trunk prefix
        ("DK", "32 12 34 56", "4532123456"),  # no trunk prefix
        ("JP", "090-1234-5678", "819012345678"),
        ("JP", "010 44 7700 900123", DRAMA),
        ("SG", "8123 4567", "6581234567"),
        ("KR", "009 1 912 345 6789", "19123456789"),
        ("US", "00 44 7700 900123", DRAMA),  # 00 is ITU's recommendation, understood everywhere
    ],
)
def test_national_notations(region: str, typed: str, digits: str) -> None:
    assert recipient(typed, default_region=region) == Address(1, 1, digits)


@pytest.mark.parametrize(
    ("region", "typed", "digits"),
    [
        ("GB", "4915228895456", "4915228895456"),  # too long for home
        ("GB", "14155550123", "14155550123"),
        ("GB", "6591234567", "6591234567"),  # long enough for home, but valid only abroad
        ("US", "6591234567", "6591234567"),
        ("GB", "2079460018", "442079460018"),  # valid at home: home wins
        ("GB", "7700900123", DRAMA),  # valid nowhere, possible at home
        ("DE", "4915123456789", "4915123456789"),  # could be a landline in Leer, area code 0491
        ("ID", "62812345678", "62812345678"),
        ("IT", "3933312345", "393933312345"),  # no trunk prefix in Italy: 393 is a mobile operator's
        ("IT", "393331234567", "393331234567"),
        (None, "14155550123", "14155550123"),
        (None, "33639980012", "33639980012"),
    ],
)
def test_a_missing_plus(region: str | None, typed: str, digits: str) -> None:
    assert recipient(typed, default_region=region).addr == digits


@pytest.mark.parametrize(
    ("typed", "region", "code", "says"),
    [
        ("", "GB", "recipient_empty", "is empty"),
        (" \t\u00a0", "GB", "recipient_empty", "is empty"),
        ("+", None, "recipient_empty", "is empty"),
        ("()", None, "recipient_empty", "is empty"),
        ("5", "GB", "recipient_too_short", "too few digits"),
        ("12345", "GB", "recipient_too_short", "+4412345"),
        ("12345", None, "recipient_too_short", "5 digits"),
        ("+4477009", None, "recipient_too_short", "+4477009"),
        ("+44", None, "recipient_too_short", "too few"),
        ("+1 555 0123", None, "recipient_too_short", "+15550123"),
        ("07700", "GB", "recipient_too_short", "too few"),
        ("+44 7700 900123 456", None, "recipient_too_long", "too many digits for its country"),
        ("+4915228895456123", None, "recipient_too_long", "too many digits"),
        ("07700 900123 456", "GB", "recipient_too_long", "too many digits"),
        ("4477009001231234", None, "recipient_too_long", "16 digits"),
        ("+" + "1" * 30, None, "recipient_too_long", "E.164"),
        ("1" * 101, None, "recipient_too_long", "101 characters"),
        ("07700 9O0123", "GB", "recipient_letters", "'O'"),
        ("1-800-FLOWERS", "US", "recipient_letters", "'F'"),
        ("ACME", None, "recipient_letters", "'A'"),
        ("+44 7700 900123 x12", None, "recipient_letters", "'x'"),
        ("телефон", None, "recipient_letters", "'т'"),
        ("07700 900123, 07700 900124", "GB", "recipient_characters", "','"),
        ("07700 900123;", "GB", "recipient_characters", "';'"),
        ("*100#", "GB", "recipient_characters", "'*'"),
        ("+44+7700900123", None, "recipient_characters", "'+' after"),
        ("447700900123+", None, "recipient_characters", "'+' after"),
        ("²³⁴⁵⁶⁷⁸⁹", None, "recipient_characters", "'²'"),
        ("user@example.com", None, "recipient_letters", "'u'"),
        ("07700900123\0", "GB", "recipient_unencodable", "U+0000 at position 11"),
        ("+44\ud8007700900123", None, "recipient_unencodable", "U+D800 at position 3"),
        ("07700 900123", None, "recipient_no_country_code", "+447700900123"),
        ("4155550123", None, "recipient_no_country_code", "country code"),
        ("+999 123 4567", "GB", "recipient_unknown_country_code", "+9991"),
        ("+210 1234567", None, "recipient_unknown_country_code", "not assigned"),
        ("00 999 123 4567", "GB", "recipient_unknown_country_code", "not assigned"),
        ("00 999 123 4567", None, "recipient_unknown_country_code", "not assigned"),
        ("+0 7700 900123", None, "recipient_unknown_country_code", "not assigned"),
        ("+44 7700 9001", None, "recipient_too_short", "+4477009001"),
        ("+55 11 9876 54321 7", None, "recipient_too_long", "+55"),
        ("+354 12345678", None, "recipient_impossible", "+35412345678"),  # Iceland: 7 or 9 digits
    ],
)
def test_refusals(typed: str, region: str | None, code: str, says: str) -> None:
    with pytest.raises(Refusal) as caught:
        recipient(typed, default_region=region)
    assert (caught.value.code, caught.value.field) == (code, "to")
    assert says in caught.value.text


def test_strict_takes_valid_numbers_only() -> None:
    assert recipient("+61 491 570 006", strict=True).addr == "61491570006"
    assert recipient("0491 570 006", default_region="AU", strict=True).addr == "61491570006"
    for typed in ("+447700900123", "07700 900123", "7700900123"):
        assert recipient(typed, default_region="GB").addr == DRAMA
        with pytest.raises(Refusal) as caught:
            recipient(typed, default_region="GB", strict=True)
        assert caught.value.code == "recipient_invalid"
        assert "+447700900123" in caught.value.text
    with pytest.raises(Refusal) as caught:
        recipient("+44 77", strict=True)
    assert caught.value.code == "recipient_too_short"


# ---------------------------------------------------------------------------------------------------------------- #
# The tables against the parser
# ---------------------------------------------------------------------------------------------------------------- #

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
CODES = sorted(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))


def by_parser(typed: str, region: str | None) -> str:
    """E.164 digits by the slow reading alone, or the code of its refusal."""
    try:
        return addresses._e164(addresses._canonical(typed, "recipient"), region, False, "recipient")
    except Refusal as refusal:
        return refusal.code


def by_public_name(typed: str, region: str | None) -> str:
    try:
        return recipient(typed, default_region=region).addr
    except Refusal as refusal:
        return refusal.code


def possible_by_phonenumbers(typed: str) -> str:
    """E.164 digits by nothing but phonenumbers; empty when it thinks the number impossible."""
    try:
        parsed = phonenumbers.parse(typed, None)
    except phonenumbers.NumberParseException:
        return ""
    possible = phonenumbers.is_possible_number_with_reason(parsed) == phonenumbers.ValidationResult.IS_POSSIBLE
    digits = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)[1:]
    return digits if possible and len(digits) <= 15 else ""


digits = st.text("0123456789", min_size=1, max_size=14)
of_a_country = st.tuples(st.sampled_from(CODES), digits).map("".join)


@settings(max_examples=1000)
@given(st.one_of(digits, of_a_country), st.one_of(st.none(), st.sampled_from(REGIONS)))
@example("447700900123", "GB")
@example("4407700900123", "GB")
@example("44180020123456", "GB")
@example("810441234567", "RU")
@example("5491123456789", "AR")
@example("390669820000", "IT")
@example("003108416024", "ID")  # viable with the trunk prefix, not without it
@example("919123456789", "KR")  # 009 is a prefix there too: after it, a valid number of the USA
@example("27937799", "BQ")  # shares +599 with Curaçao, whose numbers are longer
def test_tables_and_parser_agree_on_international_numbers(number: str, region: str | None) -> None:
    for typed in ("+" + number, "00" + number, number, "0" + number):
        assert by_public_name(typed, region) == by_parser(typed, region), (typed, region)
    quick = by_public_name("+" + number, None)
    expected = possible_by_phonenumbers("+" + number)
    assert quick == expected if expected else quick.startswith("recipient_")


@pytest.mark.parametrize(
    "number", ["1234567890123", "2" * 13, "7" * 13, "9081726354453", "0" * 13, "1" * 13, "8002009017700"]
)
def test_tables_and_parser_agree_on_every_calling_code_and_length(number: str) -> None:
    disagreements = [
        typed
        for code in CODES
        for length in range(5, len(number) + 1)
        if by_public_name(typed := f"+{code}{number[:length]}", None)
        != (possible_by_phonenumbers(typed) or by_parser(typed, None))
    ]
    assert disagreements == []


def test_tables_and_parser_agree_on_the_example_number_of_every_region_in_all_notations() -> None:
    disagreements = []
    for region in REGIONS:
        number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if number is None:
            continue
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
        plain = "".join(filter(str.isdigit, national))
        for typed in (e164, e164[1:], national, plain):
            if by_public_name(typed, region) != e164[1:] or by_parser(typed, region) != e164[1:]:
                disagreements.append((region, typed))
    assert disagreements == []


@pytest.mark.parametrize(
    "clean", ["+447700900123", "447700900123", "+8613800138000", "+4915228895456", "+33639980012"]
)
@pytest.mark.parametrize("region", [None, "GB"])
def test_the_common_notations_do_not_reach_the_parser(clean: str, region: str | None) -> None:
    assert addresses._fast(clean, region) == clean.lstrip("+")
    assert addresses._fast("07700900123", "GB") == addresses._fast("00447700900123", "GB") == DRAMA


def test_one_typed_number_means_different_things_in_different_regions_however_often_it_is_asked() -> None:
    typed = "020 7946 0018"
    for _ in range(2):
        assert recipient(typed, default_region="GB").addr == "442079460018"
        assert recipient(typed, default_region="ID").addr == "622079460018"
        with pytest.raises(Refusal, match="no country code"):
            recipient(typed)


@given(st.text(max_size=40), st.sampled_from([None, "GB", "US", "IT", "RU", "BR"]))
def test_whatever_is_typed_is_an_e164_number_or_refused_by_name(typed: str, region: str | None) -> None:
    try:
        made = recipient(typed, default_region=region)
    except Refusal as refusal:
        assert refusal.code in RECIPIENT_CODES
        assert refusal.text.isprintable()
    else:
        assert made[:2] == (1, 1)
        assert made.addr.isascii() and made.addr.isdigit() and len(made.addr) <= 15
        assert recipient("+" + made.addr) == made


RECIPIENT_CODES = {
    f"recipient_{name}"
    for name in (
        "empty",
        "too_short",
        "too_long",
        "letters",
        "characters",
        "unencodable",
        "no_country_code",
        "unknown_country_code",
        "impossible",
        "invalid",
    )
}


# ---------------------------------------------------------------------------------------------------------------- #
# Senders
# ---------------------------------------------------------------------------------------------------------------- #


@pytest.mark.parametrize(
    ("typed", "region", "expected"),
    [
        ("ACME", None, Address(5, 0, "ACME")),
        ("  ACME Bank ", None, Address(5, 0, "ACME Bank")),
        ("7-Eleven", None, Address(5, 0, "7-Eleven")),
        ("0800 SHOP", "GB", Address(5, 0, "0800 SHOP")),
        ("Café Été", None, Address(5, 0, "Café Été")),
        ("Größe&Söhne", None, Address(5, 0, "Größe&Söhne")),
        ("ElevenChars", None, Address(5, 0, "ElevenChars")),
        ("AB[CD]{E}", None, None),  # 13 septets
        ("A[BCDEFGHI", None, Address(5, 0, "A[BCDEFGHI")),  # 11 septets
        ("$_A", None, Address(5, 0, "$_A")),
        ("123", None, Address(3, 0, "123")),
        ("60800", "GB", Address(3, 0, "60800")),
        ("608-00", "GB", Address(3, 0, "60800")),
        ("12345678", "GB", Address(3, 0, "12345678")),
        ("٦٠٨٠٠", None, Address(3, 0, "60800")),
        ("40612345", None, Address(3, 0, "40612345")),
        ("40612345", "NO", Address(1, 1, "4740612345")),  # a Norwegian mobile number has 8 digits
        ("+447700900123", None, Address(1, 1, DRAMA)),
        ("07700 900123", "GB", Address(1, 1, DRAMA)),
        ("447700900123", None, Address(1, 1, DRAMA)),
        ("+354 410 4000", None, Address(1, 1, "3544104000")),
    ],
)
def test_senders(typed: str, region: str | None, expected: Address | None) -> None:
    if expected is None:
        with pytest.raises(Refusal, match="13 septets"):
            sender(typed, default_region=region)
    else:
        assert sender(typed, default_region=region) == expected


@pytest.mark.parametrize(
    ("typed", "code", "says"),
    [
        ("", "sender_empty", "is empty"),
        ("  ", "sender_empty", "is empty"),
        ("3", "sender_too_short", "3 to 8"),
        ("12", "sender_too_short", "3 to 8"),
        ("TwelveChars!", "sender_too_long", "12 septets"),
        ("ElevenChars^", "sender_too_long", "13 septets"),
        ("x" * 10_000, "sender_too_long", "septets"),
        ("МТС", "sender_characters", "'М'"),
        ("ΔELTA", "sender_characters", "'Δ'"),  # in GSM-7, but not in Latin-1: the field cannot hold it
        ("5 € Shop", "sender_characters", "'€'"),
        ("façade", "sender_characters", "'ç'"),  # in Latin-1, but not in GSM-7
        ("AC\nME", "sender_characters", r"'\n'"),
        ("me@home", "sender_characters", "has an '@', at which many SMSCs cut it off"),  # septet 0x00
        ("@me", "sender_characters", "'@'"),
        ("123@456", "sender_characters", "'@'"),
        ("***", "sender_characters", "'*'"),
        ("ACME\0", "sender_unencodable", "U+0000 at position 4"),
        ("A\udc00", "sender_unencodable", "U+DC00 at position 1"),
        ("+44\0", "sender_unencodable", "U+0000"),
        ("07700900123", "sender_no_country_code", "country code"),
        ("+999 1234567", "sender_unknown_country_code", "not assigned"),
        ("+44 7700 9001", "sender_too_short", "too few"),
        ("+44 7700 900123 456", "sender_too_long", "too many"),
        ("+354 12345678", "sender_impossible", "+35412345678"),
    ],
)
def test_sender_refusals(typed: str, code: str, says: str) -> None:
    with pytest.raises(Refusal) as caught:
        sender(typed)
    assert (caught.value.code, caught.value.field) == (code, "from")
    assert says in caught.value.text


@given(st.text(max_size=20), st.sampled_from([None, "GB", "NO"]))
def test_any_sender_fits_the_field_or_is_refused_by_name(typed: str, region: str | None) -> None:
    try:
        made = sender(typed, default_region=region)
    except Refusal as refusal:
        assert refusal.code.startswith("sender_")
        assert refusal.field == "from"
    else:
        assert made[:2] in ((1, 1), (3, 0), (5, 0))
        assert 1 <= len(made.addr.encode("latin-1")) <= 20  # source_addr, SMPP 3.4, 4.4.1
        assert "\0" not in made.addr
        assert made.addr.isdigit() == (made.ton != 5)
        assert sender(display(made), default_region=region) == made


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (Address(1, 1, DRAMA), "+447700900123"),
        (Address(3, 0, "60800"), "60800"),
        (Address(5, 0, "ACME"), "ACME"),
        (Address(0, 1, "07700900123"), "07700900123"),
        (Address(1, 1, "+447700900123"), "+447700900123"),
        (Address(1, 1, ""), ""),
    ],
)
def test_display(address: Address, shown: str) -> None:
    assert display(address) == shown
