"""Addresses: what people type to E.164 digits, senders of every kind, and their TON and NPI.

Owns the reading of recipients and senders, and every refusal of one by name. Refuses to know routes, carriers and
what a number costs. Knowledge of numbering plans comes from phonenumbers; its parser takes 35 to 60 us, so the common
notations are read by tables built from the same metadata, and all others by the parser itself.

TON and NPI (SMPP 3.4, 5.2.5 and 5.2.6):

    international number    TON 1, NPI 1, digits without "+"
    short code              TON 3 (network specific), NPI 0
    alphanumeric sender     TON 5, NPI 0

Carriers disagree about short codes (TON 0, 3 or 6; NPI 0 or 1); 3/0 is a common pair.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, ValidationResult
from phonenumbers.phonemetadata import PhoneMetadata

from smppgw.errors import Refusal
from smppgw.sms import gsm7
from smppgw.sms.plan import refuse_unstorable


class Address(NamedTuple):
    """An SMPP address: type of number, numbering plan, digits or letters (SMPP 3.4, 5.2.5 to 5.2.7)."""

    ton: int
    npi: int
    addr: str


TON_INTERNATIONAL = 1
TON_NETWORK_SPECIFIC = 3
TON_ALPHANUMERIC = 5
NPI_UNKNOWN = 0
NPI_ISDN = 1

#: E.164, section 6: country code and national number together.
MOST_DIGITS = 15
#: Below this, all countries together, a number is a short code or a slip.
FEWEST_DIGITS = 7
SHORT_CODE_DIGITS = range(3, 9)
#: TP-OA holds 10 octets, that is 11 septets (3GPP TS 23.040, 9.1.2.5).
ALPHANUMERIC_SEPTETS = 11
#: Nothing people type for one number is longer; this bounds the work of one hostile item.
MOST_CHARACTERS = 100


def recipient(typed: str, *, default_region: str | None = None, strict: bool = False) -> Address:
    """The E.164 number that `typed` means, as TON 1, NPI 1, digits without "+".

    Any script's digits, spaces, hyphens, dots, slashes and brackets are understood. Numbers may begin with "+", with
    the international prefix ("00" or that of `default_region`, an ISO 3166 code), with a country code alone, or be in
    national notation where `default_region` is given. Where only the "+" may be missing, a reading that is a valid
    number wins over one that is merely possible, and then the national one over the international one, except that
    digits that begin with the region's own country code are read so.

    Numbers of possible length are accepted, only valid ones (of an assigned range) when `strict`. Raises Refusal:
    `recipient_empty`, `recipient_too_short`, `recipient_too_long`, `recipient_letters`, `recipient_characters` (other
    signs), `recipient_unencodable` (U+0000, a lone surrogate), `recipient_no_country_code`,
    `recipient_unknown_country_code`, `recipient_impossible` (a length that country does not use),
    `recipient_invalid` (only when `strict`).
    """
    if not strict and _CLEAN.match(typed) and (digits := _fast(typed, default_region)):
        return Address(TON_INTERNATIONAL, NPI_ISDN, digits)
    return _recipient(typed, default_region, strict)


def sender(typed: str, *, default_region: str | None = None) -> Address:
    """The sender that `typed` means: an international number, a short code, or letters.

    With a letter in it: alphanumeric, at most 11 septets of GSM-7, of those characters that source_addr can carry
    ("@" is none of them).
    3 to 8 digits: a short code, unless 7 or 8 of them are a valid number in `default_region`. Everything else is read
    as a recipient is. Raises Refusal: `sender_empty`, `sender_too_short`, `sender_too_long`, `sender_characters`,
    `sender_unencodable`, `sender_no_country_code`, `sender_unknown_country_code`, `sender_impossible`.
    """
    return _sender(typed, default_region)


def display(addr: Address) -> str:
    """How people write it: "+" and digits for an international number, otherwise the digits or letters alone."""
    if addr.ton == TON_INTERNATIONAL and addr.addr.isdigit():
        return "+" + addr.addr
    return addr.addr


# ---------------------------------------------------------------------------------------------------------------- #
# Fast: clean digits, by tables. Whatever is not certain here is left to the slow reading below.
# ---------------------------------------------------------------------------------------------------------------- #

_CLEAN = re.compile(r"\+?[0-9]{7,16}\Z", re.ASCII)
_NEVER = re.compile(r"(?!)")


class _Country(NamedTuple):
    """What phonenumbers knows of a region, as far as lengths and prefixes go."""

    calling_code: str
    national_lengths: frozenset[int]
    most_national_digits: int
    national: re.Pattern[str]  # any number of the country
    trunk_prefix: re.Pattern[str]  # national_prefix_for_parsing
    international_prefix: re.Pattern[str]
    plain_trunk_prefix: bool  # the prefix is cut off, nothing is put in its place

    def international(self, national_digits: str) -> str:
        """E.164 digits when these are a national number of possible length for certain, else nothing."""
        if len(national_digits) not in self.national_lengths or self.trunk_prefix.match(national_digits):
            return ""
        return self.calling_code + national_digits


def _country(metadata: PhoneMetadata) -> _Country:
    calling_code = str(metadata.country_code)
    general = metadata.general_desc
    pattern = general.national_number_pattern if general else None
    # Where regions share a code (+1, +7, +599 ...), the parser judges lengths by the main region: both have a say.
    lengths = [_possible_lengths(metadata), _possible_lengths(_main_metadata(calling_code) or metadata)]
    room = MOST_DIGITS - len(calling_code)
    trunk = metadata.national_prefix_for_parsing
    idd = metadata.international_prefix
    return _Country(
        calling_code=calling_code,
        national_lengths=frozenset(length for length in set.intersection(*lengths) if length <= room),
        most_national_digits=max(set.union(*lengths), default=0),
        national=re.compile(f"(?:{pattern})\\Z") if pattern else _NEVER,
        trunk_prefix=re.compile(trunk) if trunk else _NEVER,
        international_prefix=re.compile(idd) if idd else _NEVER,
        plain_trunk_prefix=not metadata.national_prefix_transform_rule and "(" not in (trunk or "("),
    )


def _possible_lengths(metadata: PhoneMetadata) -> set[int]:
    return set((metadata.general_desc.possible_length if metadata.general_desc else None) or ())


def _main_metadata(calling_code: str) -> PhoneMetadata | None:
    """Of the main region of a calling code; None where the code is not assigned."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(calling_code))
    return PhoneMetadata.metadata_for_region_or_calling_code(int(calling_code), regions[0]) if regions else None


_by_calling_code: dict[str, _Country | None] = {}  # by the 1 to 3 first digits; at most 1,110 keys
_by_region: dict[str, _Country | None] = {}


def _country_of_code(code: str) -> _Country | None:
    """The country of a calling code, or None when there is none. Metadata is loaded on first use (about 1 ms)."""
    try:
        return _by_calling_code[code]
    except KeyError:
        metadata = _main_metadata(code) if code[0] != "0" else None
        return _by_calling_code.setdefault(code, _country(metadata) if metadata else None)


def _country_of_region(region: str) -> _Country | None:
    try:
        return _by_region[region]
    except KeyError:
        metadata = PhoneMetadata.metadata_for_region(region, None)
        if metadata is None:
            return None
        return _by_region.setdefault(region, _country(metadata))


def _fast_international(digits: str) -> str:
    """E.164 digits of a number that begins with its country code, or nothing."""
    for length in (1, 2, 3):
        country = _country_of_code(digits[:length])
        if country is not None:
            return country.international(digits[length:])
    return ""


def _fast(clean: str, region: str | None) -> str:
    """E.164 digits of `clean` (a "+" or none, then digits), or nothing when only the parser can tell."""
    if clean[0] == "+":
        return _fast_international(clean[1:])
    if region is None:
        return _fast_international(clean)
    home = _country_of_region(region)
    if home is None:
        return ""
    prefix = home.international_prefix.match(clean)
    if prefix is not None:
        return _fast_international(clean[2:]) if prefix[0] == "00" else ""
    trunk = home.trunk_prefix.match(clean)
    if trunk is None:
        # Too long for home, so the country code is there and only the "+" is missing.
        return _fast_international(clean) if len(clean) > home.most_national_digits else ""
    # The parser keeps the prefix where only with it the number fits the country's pattern; such are left to it.
    national = clean[trunk.end() :]
    if clean[0] == "0" and home.plain_trunk_prefix and home.national.match(national):
        return home.international(national)
    return ""


# ---------------------------------------------------------------------------------------------------------------- #
# Slow: anything people type, through phonenumbers
# ---------------------------------------------------------------------------------------------------------------- #

_OTHER_SEPARATORS = frozenset("()[]{}./\\_·•‧・−⁃~∼～ー（）［］．／＿")
_SEPARATOR_CATEGORIES = frozenset(("Zs", "Zl", "Zp", "Cf", "Pd"))
_PLUS = frozenset("+＋﹢⁺")


@lru_cache(maxsize=16_384)
def _recipient(typed: str, region: str | None, strict: bool) -> Address:
    number = _canonical(typed, "recipient")
    digits = _fast(number, region) if not strict and _CLEAN.match(number) else ""
    return Address(TON_INTERNATIONAL, NPI_ISDN, digits or _e164(number, region, strict, "recipient"))


@lru_cache(maxsize=1024)
def _sender(typed: str, region: str | None) -> Address:
    refuse_unstorable(typed, code="sender_unencodable", field="from")
    if any(character.isalpha() for character in typed):
        return _alphanumeric(typed.strip())
    number = _canonical(typed, "sender")
    if number.isdigit() and len(number) <= SHORT_CODE_DIGITS[-1]:
        return _short_code(number, region)
    return Address(TON_INTERNATIONAL, NPI_ISDN, _e164(number, region, False, "sender"))


def _refusal(who: str, code: str, text: str) -> Refusal:
    return Refusal(f"{who}_{code}", f"the {who} {text}", field="to" if who == "recipient" else "from")


def _canonical(typed: str, who: str) -> str:
    """`typed` as ASCII digits with at most a "+" in front."""
    field = "to" if who == "recipient" else "from"
    if len(typed) > MOST_CHARACTERS:
        raise _refusal(who, "too_long", f"has {len(typed)} characters; no number needs so many")
    refuse_unstorable(typed, code=f"{who}_unencodable", field=field)
    number = "".join(_signs(typed, who))
    if number in ("", "+"):
        raise _refusal(who, "empty", "is empty")
    if "+" in number[1:]:
        raise _refusal(who, "characters", "has a '+' after its first digit; give one number only")
    return number


def _signs(typed: str, who: str) -> Iterator[str]:
    text = typed.strip()
    if text[:4].lower() == "tel:":
        text = text[4:]
    for character in text:
        digit = unicodedata.decimal(character, None)
        if digit is not None:
            yield str(digit)
        elif character in _PLUS:
            yield "+"
        elif _is_separator(character):
            continue
        elif character.isalpha():
            raise _refusal(who, "letters", f"has the letter {character!r}; give digits only")
        else:
            raise _refusal(who, "characters", f"has the character {character!r}; give one number, digits only")


def _is_separator(character: str) -> bool:
    return (
        character.isspace()
        or character in _OTHER_SEPARATORS
        or unicodedata.category(character) in _SEPARATOR_CATEGORIES
    )


class _Reading(NamedTuple):
    """One way to read the digits."""

    digits: str  # E.164 without "+"; empty when the parser refused
    valid: bool
    refusal: Refusal | None  # why it cannot be a number; None: possible


def _e164(number: str, region: str | None, strict: bool, who: str) -> str:
    """E.164 digits of a canonical number, or the refusal of its likeliest reading."""
    readings = _readings(number, region, who)
    for reading in readings:
        if reading.valid:
            return reading.digits
    for reading in readings:
        if reading.refusal is None:
            if strict:
                raise _refusal(who, "invalid", f"+{reading.digits} is in no assigned range")
            return reading.digits
    raise readings[0].refusal or AssertionError


def _readings(number: str, region: str | None, who: str) -> list[_Reading]:
    """The ways to read a canonical number, the likeliest first."""
    if number[0] == "+":
        return [_read(number, region, who)]
    abroad = "+" + (number[2:] if number.startswith("00") else number)
    if region is not None:
        if number[0] == "0" and not number.startswith("00"):
            return [_read(number, region, who)]
        readings = [_read(number, region, who), _read(abroad, None, who)]
        return readings[::-1] if _begins_with_own_code(number, region) else readings
    if number.startswith("00"):
        return [_read(abroad, None, who)]
    reading = _read(abroad, None, who) if number[0] != "0" else None
    if reading is not None and reading.refusal is None:
        return [reading]
    return [_Reading("", False, _no_country_code(number, who))]


def _begins_with_own_code(number: str, region: str) -> bool:
    """Whether the "+" alone seems to be missing: where national numbers are written with a trunk prefix, a number
    that has none but begins with the country's own code is meant internationally (62812..., 491512...)."""
    metadata = PhoneMetadata.metadata_for_region(region, None)
    return bool(metadata and metadata.national_prefix and number.startswith(str(metadata.country_code)))


def _no_country_code(number: str, who: str) -> Refusal:
    if len(number) < FEWEST_DIGITS:
        return _refusal(
            who, "too_short", f"has {len(number)} digits; give it with its country code, as in +447700900123"
        )
    if len(number) > MOST_DIGITS:
        return _refusal(who, "too_long", f"has {len(number)} digits, {MOST_DIGITS} are the most")
    return _refusal(who, "no_country_code", "has no country code; give it in international form, as in +447700900123")


def _read(number: str, region: str | None, who: str) -> _Reading:
    try:
        parsed = phonenumbers.parse(number, region)
    except NumberParseException as error:
        return _Reading("", False, _parse_refusal(error, number, who))
    digits = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)[1:]
    refusal = _length_refusal(phonenumbers.is_possible_number_with_reason(parsed), digits, who)
    return _Reading(digits, refusal is None and phonenumbers.is_valid_number(parsed), refusal)


def _parse_refusal(error: NumberParseException, number: str, who: str) -> Refusal:
    if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
        return _refusal(
            who, "unknown_country_code", f"{number[:5]}... begins with a country code that is not assigned"
        )
    if error.error_type == NumberParseException.TOO_LONG:
        return _refusal(who, "too_long", f"has more than the {MOST_DIGITS} digits of E.164")
    return _refusal(who, "too_short", "has too few digits for a number")


def _length_refusal(reason: int, digits: str, who: str) -> Refusal | None:
    if reason in (ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY):
        return _refusal(who, "too_short", f"+{digits} has too few digits for its country")
    if reason == ValidationResult.TOO_LONG or len(digits) > MOST_DIGITS:
        return _refusal(who, "too_long", f"+{digits} has too many digits for its country")
    if reason == ValidationResult.INVALID_COUNTRY_CODE:
        return _refusal(who, "unknown_country_code", f"+{digits} begins with a country code that is not assigned")
    if reason != ValidationResult.IS_POSSIBLE:
        return _refusal(who, "impossible", f"+{digits} has a number of digits that its country does not use")
    return None


# ---------------------------------------------------------------------------------------------------------------- #
# Senders that are not numbers
# ---------------------------------------------------------------------------------------------------------------- #


def _short_code(digits: str, region: str | None) -> Address:
    if len(digits) < SHORT_CODE_DIGITS[0]:
        raise _refusal("sender", "too_short", f"has {len(digits)} digits; a short code has 3 to 8")
    if region is not None and len(digits) >= FEWEST_DIGITS:
        reading = _read(digits, region, "sender")
        if reading.valid:
            return Address(TON_INTERNATIONAL, NPI_ISDN, reading.digits)
    return Address(TON_NETWORK_SPECIFIC, NPI_UNKNOWN, digits)


def _alphanumeric(name: str) -> Address:
    """source_addr is a C-octet string: a character must be in GSM-7 for the handset and in Latin-1 for the field.

    "@" is septet 0x00: SMSCs that write the sender as septets end it there.
    """
    if "@" in name:
        raise _refusal("sender", "characters", f"{name!r} has an '@', at which many SMSCs cut it off")
    for character in name:
        if not character.isprintable() or ord(character) > 0xFF or gsm7.try_encode(character) is None:
            raise _refusal("sender", "characters", f"has the character {character!r}, which a sender cannot carry")
    septets = gsm7.septets(name)
    if septets is None or septets > ALPHANUMERIC_SEPTETS:
        raise _refusal(
            "sender",
            "too_long",
            f"{name!r} takes {septets} septets; with letters, {ALPHANUMERIC_SEPTETS} are the most",
        )
    return Address(TON_ALPHANUMERIC, NPI_UNKNOWN, name)
