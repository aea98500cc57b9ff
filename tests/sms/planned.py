"""What any plan must be, whatever the text, the SMSC and the wishes: used by the tests of planning."""

from __future__ import annotations

from hypothesis import strategies as st

from smppgw.sms import gsm7, national, udh
from smppgw.sms.encoding import (
    NO_WISHES,
    Alphabet,
    ClassForm,
    DefaultAlphabet,
    Encoding,
    Language,
    LongMessages,
    Numbering,
    OnUnencodable,
    Packing,
    Waiting,
    WaitingKind,
    Wishes,
)
from smppgw.sms.plan import MOST_PAYLOAD_OCTETS, Plan
from smppgw.sms.reassemble import join, join_parts
from tests.sms.vectors import pack

MOST_SHORT_MESSAGE_OCTETS = 254
PORTS = (0x05, bytes.fromhex("0b8423f0"))

# ---------------------------------------------------------------------------------------------------------------- #
# Texts, SMSCs and wishes
# ---------------------------------------------------------------------------------------------------------------- #

GSM7_CHARACTERS = "".join(gsm7.decode(bytes([septet])) for septet in range(128) if septet != gsm7.ESC)
EXTENSION_CHARACTERS = "".join(gsm7.EXTENSION.values())
CLUSTERS = ["😀", "👩🏽‍🚀", "🇬🇧", "e\u0301", "क्षि", "\r\n", "\u200d"]

gsm7_texts = st.text(alphabet=GSM7_CHARACTERS + EXTENSION_CHARACTERS * 3, min_size=1, max_size=300)
any_texts = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), st.sampled_from("a€[😀👩🏽‍🚀🇬🇧您ا")
    ),
    min_size=1,
    max_size=200,
)
joined_texts = st.lists(st.sampled_from(["a", "您", "[", *CLUSTERS]), min_size=1, max_size=80).map("".join)
national_texts = st.one_of(
    st.text(alphabet=characters, min_size=1, max_size=250)
    for characters in ("aşğıİ€[ç", "açãõ^|€", "áíóúñça[", "नमस्ते दुनिया[1]", "اردو a[1]", "বাংলা|")
)
texts = st.one_of(
    gsm7_texts,
    any_texts,
    joined_texts,
    national_texts,
    st.text(alphabet="a\r€[äΔ", min_size=1, max_size=250),
    st.text(alphabet="[]{}a`é", min_size=1, max_size=250),
)

#: data_codings of their own, to see that they are used and not the usual ones.
encodings = st.builds(
    Encoding,
    default_alphabet=st.sampled_from(DefaultAlphabet),
    packing=st.sampled_from(Packing),
    gsm7_data_coding=st.sampled_from([0, 0xF1]),
    ucs2_data_coding=st.sampled_from([8, 0x19]),
    long=st.sampled_from(LongMessages),
    binary_data_coding=st.just(4),
    max_octets=st.just(140) | st.integers(40, 140),
    national=st.lists(st.sampled_from(Language), max_size=2, unique=True).map(tuple) | st.just((Language.TURKISH,)),
    latin1_data_coding=st.sampled_from([None, 3]),
    ascii_data_coding=st.sampled_from([None, 1]),
    class_form=st.sampled_from(ClassForm),
) | st.just(Encoding(national=(Language.TURKISH, Language.HINDI, Language.PORTUGUESE)))

wishes = st.just(NO_WISHES) | st.builds(
    Wishes,
    smart=st.just(False),
    alphabet=st.sampled_from([None, None, Alphabet.GSM7, Alphabet.UCS2, Alphabet.LATIN1, Alphabet.ASCII]),
    on_unencodable=st.sampled_from([OnUnencodable.UCS2, OnUnencodable.REFUSE]),
    message_class=st.none() | st.integers(0, 3),
    waiting=st.none()
    | st.builds(
        Waiting,
        kind=st.sampled_from(WaitingKind),
        active=st.booleans(),
        store=st.booleans(),
        count=st.none() | st.integers(0, 255),
    ),
    elements=st.sampled_from([(), (), (PORTS,), (PORTS, (0x70, b"x" * 9))]),
)


# ---------------------------------------------------------------------------------------------------------------- #
# The plan
# ---------------------------------------------------------------------------------------------------------------- #


def check(made: Plan, encoding: Encoding, asked: Wishes, reference: int) -> None:
    """Everything about a plan but whether it is the best one."""
    check_text(made, encoding)
    check_form(made, encoding, asked, reference)
    check_sizes(made, encoding, asked)


def rejoined(made: Plan, encoding: Encoding) -> str:
    if made.esm_class == 0x40:
        return join(reversed(made.segments), data_coding=made.data_coding, udhi=True, encoding=encoding)
    return join_parts(made.segments, data_coding=made.data_coding, encoding=encoding)


def check_text(made: Plan, encoding: Encoding) -> None:
    if encoding.packs and made.text.endswith("\r") and made.alphabet is Alphabet.GSM7:
        # 23.038, 6.1.2.3.1: a CR at the end of an octet is written twice, and "performed" twice.
        assert rejoined(made, encoding) in (made.text, made.text + "\r")
    else:
        assert rejoined(made, encoding) == made.text


def check_form(made: Plan, encoding: Encoding, asked: Wishes, reference: int) -> None:
    """How the parts are told to belong together, and the elements of their UDH."""
    elements = [*asked.elements]
    if asked.waiting is not None and asked.waiting.count is not None:
        elements.append(
            (0x01, bytes((asked.waiting.kind + (128 if asked.waiting.store else 0), asked.waiting.count)))
        )
    elements += national.elements(made.locking, made.single)
    several = made.parts > 1
    left_to_smsc = not elements and encoding.long in (LongMessages.SAR, LongMessages.PAYLOAD)
    if not several or (left_to_smsc and encoding.long is LongMessages.PAYLOAD):
        numbering = Numbering.NONE
    elif left_to_smsc:
        numbering = Numbering.SAR
    else:
        numbering = Numbering.WIDE if encoding.long is LongMessages.UDH16 else Numbering.NARROW
    assert made.numbering is numbering
    assert len(made.segments) == (1 if made.payload else made.parts)
    assert made.payload == (left_to_smsc and encoding.long is LongMessages.PAYLOAD and several) or made.parts == 1
    assert made.esm_class == (0x40 if elements or numbering in (Numbering.NARROW, Numbering.WIDE) else 0)
    if made.esm_class:
        for part, segment in enumerate(made.segments, 1):
            found = udh.parse(segment)
            if several:
                wide = numbering is Numbering.WIDE
                told = (reference % (65536 if wide else 256), made.parts, part, wide)
                assert udh.concatenation(segment) == told
                assert found[0][0] == (0x08 if wide else 0x00)
                found = found[1:]
            assert found == elements


def check_sizes(made: Plan, encoding: Encoding, asked: Wishes) -> None:
    """As the handset gets each part: packed, with a UDH when there are several; and each is a text of its own."""
    if made.payload:
        assert len(made.segments[0]) <= MOST_PAYLOAD_OCTETS
        return
    for segment in made.segments:
        assert len(segment) <= MOST_SHORT_MESSAGE_OCTETS
        header, content = udh.split(segment) if made.esm_class else (b"", segment)
        header_octets = 6 if made.numbering is Numbering.SAR else len(header)
        text = text_of(content, len(header), made, encoding)
        if made.alphabet is Alphabet.GSM7:
            septets = national.encode(text, made.locking, made.single)
            assert septets is not None  # no pair is torn apart
            packed = header_octets + len(pack(septets, fill_bits=-header_octets * 8 % 7))
            assert packed <= encoding.max_octets or (encoding.packs and text.endswith("\r"))
        else:
            codec = {Alphabet.UCS2: "utf-16-be", Alphabet.LATIN1: "latin-1", Alphabet.ASCII: "ascii"}[made.alphabet]
            assert text.encode(codec) == content
            assert header_octets + len(content) <= encoding.max_octets
        if encoding.packs:
            assert len(segment) <= encoding.max_octets


def text_of(content: bytes, header_octets: int, made: Plan, encoding: Encoding) -> str:
    """The text of one part, read alone."""
    if made.alphabet is not Alphabet.GSM7:
        return join_parts([content], data_coding=made.data_coding, encoding=encoding)
    if encoding.default_alphabet is not DefaultAlphabet.GSM7:
        return content.decode({DefaultAlphabet.UTF8: "utf-8"}.get(encoding.default_alphabet, "latin-1"))
    septets = gsm7.unpack(content, udh.fill_bits(header_octets)) if encoding.packs else content
    return national.decode(septets, made.locking, made.single)
