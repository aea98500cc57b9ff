from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smpplib import smpp as smpplib_smpp

from smppgw.errors import LocalProtocolError, RemoteProtocolError
from smppgw.smpp import (
    BindReceiver,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    DataSm,
    DeliverSm,
    DeliverSmResp,
    Deviation,
    EnquireLink,
    GenericNack,
    Outbind,
    Pdu,
    QuerySmResp,
    Status,
    SubmitMulti,
    SubmitSm,
    SubmitSmResp,
    Tag,
    Tlvs,
    blank,
    decode,
    encode,
)
from smppgw.smpp.codec import _decode_carefully
from tests.smpp.samples import ALL_CLASSES, any_pdu, pdus
from tests.smpp.test_commands import SHARED, Client


def refuse(deviation: str) -> None:
    raise AssertionError(f"tolerated {deviation} where nothing is odd")


def resized(frame: bytes) -> bytes:
    """The frame with a command_length that is true again."""
    return len(frame).to_bytes(4, "big") + frame[4:]


# --- there and back ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", ALL_CLASSES, ids=lambda cls: cls.command_id.label)
@settings(max_examples=50)
@given(data=st.data())
def test_decode_gives_back_what_was_encoded(cls: type[Pdu], data: st.DataObject) -> None:
    pdu = data.draw(pdus(cls))
    frame = encode(pdu)
    assert int.from_bytes(frame[:4], "big") == len(frame)
    assert decode(frame, refuse) == pdu
    assert decode(memoryview(frame), refuse) == pdu


@given(any_pdu)
def test_the_compiled_and_the_careful_road_agree(pdu: Pdu) -> None:
    """Both walk the same table; the second one exists for what the first gives up on."""
    frame = encode(pdu)
    assert _decode_carefully(type(pdu), frame, pdu.command_status, pdu.sequence_number, refuse) == pdu


@given(any_pdu)
def test_the_compiled_encoder_writes_what_the_fields_write(pdu: Pdu) -> None:
    body = b"".join(kind.write(getattr(pdu, name)) for name, kind in pdu.fields.items())
    frame = encode(pdu)
    assert frame[16:].startswith(body) or (pdu.command_status and len(frame) == 16)


@given(st.binary(max_size=200))
def test_any_octets_give_a_pdu_or_a_remote_error(octets: bytes) -> None:
    try:
        assert isinstance(decode(octets), Pdu)
    except RemoteProtocolError as error:
        assert error.command_status


@given(any_pdu, st.data())
def test_damaged_frames_give_a_pdu_or_a_remote_error(pdu: Pdu, data: st.DataObject) -> None:
    frame = bytearray(encode(pdu))
    for _ in range(data.draw(st.integers(1, 3))):
        match data.draw(st.sampled_from(["flip", "cut", "add"])):
            case "flip" if len(frame) > 16:
                frame[data.draw(st.integers(16, len(frame) - 1))] = data.draw(st.integers(0, 255))
            case "cut" if len(frame) > 16:
                del frame[data.draw(st.integers(16, len(frame) - 1)) :]
            case _:
                frame += data.draw(st.binary(min_size=1, max_size=5))
    damaged = resized(bytes(frame))
    noted: list[str] = []
    try:
        found = decode(damaged, noted.append)
    except RemoteProtocolError as error:
        assert (error.command_id, error.sequence_number) == (pdu.command_id, pdu.sequence_number)
        assert error.field
    else:
        assert type(found) is type(pdu)
        assert set(noted) <= set(Deviation)


# --- smpplib as an independent witness -----------------------------------------------------------------------------


def read(theirs: Any, name: str) -> Any:
    value = getattr(theirs, name)
    return b"" if value is None and name == "short_message" else value


def as_smpplib(value: Any) -> Any:
    return value.encode("latin-1") if isinstance(value, str) else value


@pytest.mark.parametrize("cls", SHARED, ids=lambda cls: cls.command_id.label)
@settings(max_examples=50)
@given(data=st.data())
def test_smpplib_reads_what_we_write(cls: type[Pdu], data: st.DataObject) -> None:
    pdu = data.draw(pdus(cls))
    pdu.tlvs = {}
    theirs = smpplib_smpp.parse_pdu(encode(pdu), client=Client())
    assert (theirs.command, theirs.status, theirs.sequence) == (
        pdu.command_id.label,
        pdu.command_status,
        pdu.sequence_number,
    )
    if len(encode(pdu)) > 16:
        assert {n: read(theirs, n) for n in pdu.fields} == {n: as_smpplib(getattr(pdu, n)) for n in pdu.fields}


ascii_text = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8)


@pytest.mark.parametrize("command", ["submit_sm", "deliver_sm"])
@given(
    addr=ascii_text,
    numbers=st.tuples(*[st.integers(0, 255)] * 9),
    text=st.binary(max_size=254),
    reference=st.integers(0, 0xFFFF),
)
def test_we_read_what_smpplib_writes(
    command: str, addr: str, numbers: tuple[int, ...], text: bytes, reference: int
) -> None:
    names = ["source_addr_ton", "source_addr_npi", "dest_addr_ton", "dest_addr_npi", "esm_class"]
    names += ["protocol_id", "registered_delivery", "replace_if_present_flag", "data_coding"]
    fields: dict[str, Any] = {
        **dict(zip(names, numbers, strict=True)),
        "source_addr": addr,
        "destination_addr": addr[::-1],
    }
    theirs = smpplib_smpp.make_pdu(
        command, client=Client(), short_message=text, user_message_reference=reference, **fields
    )
    ours = decode(theirs.generate(), refuse)
    assert isinstance(ours, SubmitSm | DeliverSm)
    assert {name: getattr(ours, name) for name in fields} == fields
    assert ours.short_message == text
    assert ours.tlvs == {Tag.USER_MESSAGE_REFERENCE: reference.to_bytes(2, "big")}
    assert ours.sequence_number == 7


# --- encoding what does not fit ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pdu", "says"),
    [
        (SubmitSm(source_addr="1" * 21), r"submit_sm: source_addr has 21 octets, the limit is 20"),
        (SubmitSm(destination_addr="1\0"), r"submit_sm: destination_addr contains NUL"),
        (SubmitSm(service_type="€"), r"submit_sm: service_type contains '\\u20ac'"),
        (SubmitSm(short_message=bytes(255)), r"submit_sm: short_message has 255 octets, the limit is 254"),
        (SubmitSm(short_message="text"), r"submit_sm: short_message is a str"),  # type: ignore[arg-type]
        (SubmitSm(source_addr=None), r"submit_sm: source_addr is a NoneType"),  # type: ignore[arg-type]
        (SubmitSm(source_addr=b"1"), r"submit_sm: source_addr is a bytes"),  # type: ignore[arg-type]
        (SubmitSm(data_coding=256), r"submit_sm: data_coding is 256"),
        (SubmitSm(data_coding=-1), r"submit_sm: data_coding is -1"),
        (SubmitSm(validity_period="1 day"), r"submit_sm: validity_period has 5 octets where only none or 16"),
        (SubmitSm(tlvs={0x424: bytes(70000)}), r"submit_sm: tlvs: TLV 0x0424 has 70000 octets"),
        (SubmitSm(sequence_number=-1), r"submit_sm: sequence_number is -1"),
        (EnquireLink(command_status=1 << 32), r"enquire_link: command_status is 4294967296"),
        (BindTransceiver(password="p" * 65), r"bind_transceiver: password has 65 octets, the limit is 64"),
        (Outbind(password="123456789"), r"outbind: password has 9 octets, the limit is 8"),
        (SubmitMulti(dest_addresses=("44",)), r"submit_multi: dest_addresses holds a str"),  # type: ignore[arg-type]
    ],
)
def test_encode_names_the_field_that_does_not_fit(pdu: Pdu, says: str) -> None:
    with pytest.raises(LocalProtocolError, match=says):
        encode(pdu)


@pytest.mark.parametrize("cls", [BindTransmitter, BindReceiver, BindTransceiver])
def test_credentials_longer_than_the_standard_allows_can_be_sent(cls: type[Pdu]) -> None:
    """Some SMSCs hand them out. Whoever reads them by the standard refuses them, as we do."""
    frame = encode(cls(system_id="s" * 64, password="p" * 64))  # type: ignore[call-arg]
    assert frame[16:].startswith(b"s" * 64 + b"\0" + b"p" * 64 + b"\0")
    with pytest.raises(RemoteProtocolError) as caught:
        decode(frame)
    assert (caught.value.field, caught.value.command_status) == ("system_id", Status.ESME_RINVSYSID)


# --- decoding what is wrong ----------------------------------------------------------------------------------------


def header(command_id: int, body: str = "", *, status: int = 0) -> bytes:
    octets = bytes.fromhex(body)
    numbers = (16 + len(octets), command_id, status, 9)
    return b"".join(number.to_bytes(4, "big") for number in numbers) + octets


SUBMIT_HEAD = "00 01 01 31 00 01 01 32 00 00 00 00 00 00 00 00 00 00"


@pytest.mark.parametrize(
    ("name", "frame", "status", "field"),
    [
        ("unknown request", header(0x110), Status.ESME_RINVCMDID, ""),
        ("unknown response", header(0x80000110), Status.ESME_RINVCMDID, ""),
        ("empty submit_sm", header(4), Status.ESME_RINVSERTYP, "service_type"),
        ("service_type too long", header(4, "4142434445464700"), Status.ESME_RINVSERTYP, "service_type"),
        ("source_addr too long", header(4, "00 01 01" + "31" * 21 + "00"), Status.ESME_RINVSRCADR, "source_addr"),
        ("source_addr not ended", header(4, "00 01 01 313233"), Status.ESME_RINVSRCADR, "source_addr"),
        ("destination_addr missing", header(4, "00 01 01 3100 01 01"), Status.ESME_RINVDSTADR, "destination_addr"),
        ("esm_class missing", header(4, "00 01 01 3100 01 01 3200"), Status.ESME_RINVESMCLASS, "esm_class"),
        ("protocol_id missing", header(4, "00 01 01 3100 01 01 3200 00"), Status.ESME_RINVCMDLEN, "protocol_id"),
        ("sm_length missing", header(4, SUBMIT_HEAD), Status.ESME_RINVMSGLEN, "sm_length"),
        ("sm_length too big by two", header(4, SUBMIT_HEAD + "04 6162"), Status.ESME_RINVMSGLEN, "sm_length"),
        ("password too long", header(9, "6d6500" + "70" * 9 + "00"), Status.ESME_RINVPASWD, "password"),
        ("outbind password too long, no end", header(11, "6d6500" + "70" * 9), Status.ESME_RINVPASWD, "password"),
        ("dest_flag 3", header(0x21, "00 00 00 00 01 03"), Status.ESME_RINVDESTFLAG, "dest_flag"),
        ("dl_name cut", header(0x21, "00 00 00 00 01 02 6c"), Status.ESME_RINVDLNAME, "dl_name"),
        ("message_state cut", header(0x80000003, "3100 00"), Status.ESME_RINVCMDLEN, "message_state"),
    ],
)
def test_errors_name_the_field_and_the_status_due(name: str, frame: bytes, status: Status, field: str) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode(frame)
    error = caught.value
    assert (error.command_status, error.field, error.sequence_number) == (status, field, 9)
    assert error.command_id == int.from_bytes(frame[4:8], "big")


def test_frames_that_are_not_whole() -> None:
    with pytest.raises(RemoteProtocolError, match="a PDU of 3 octets"):
        decode(b"\0\0\0")
    with pytest.raises(RemoteProtocolError, match="command_length 17 in a frame of 16 octets") as caught:
        decode(bytes.fromhex("00000011 00000015 00000000 00000009"))
    assert caught.value.command_status == Status.ESME_RINVCMDLEN


# --- what is tolerated ---------------------------------------------------------------------------------------------


def submit(short_message: bytes = b"", **fields: Any) -> SubmitSm:
    return SubmitSm(
        sequence_number=9,
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr="1",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="2",
        short_message=short_message,
        **fields,
    )


STATE = {0x427: b"\2"}
TOLERATED: list[tuple[str, bytes, Pdu, list[Deviation]]] = [
    ("OK without a body", header(0x80000004), SubmitSmResp(sequence_number=9), [Deviation.BODY_MISSING]),
    ("OK without a body", header(0x80000005), DeliverSmResp(sequence_number=9), [Deviation.BODY_MISSING]),
    ("OK without a body", header(0x80000009), BindTransceiverResp(sequence_number=9), [Deviation.BODY_MISSING]),
    ("OK without a body", header(0x80000003), QuerySmResp(sequence_number=9), [Deviation.BODY_MISSING]),
    ("error without a body", header(0x80000004, status=8), SubmitSmResp(sequence_number=9, command_status=8), []),
    ("error without a body", header(0x80000005, status=8), DeliverSmResp(sequence_number=9, command_status=8), []),
    (
        "no terminator at the end",
        header(0x80000004, "6162"),
        SubmitSmResp(sequence_number=9, message_id="ab"),
        [Deviation.TERMINATOR_MISSING],
    ),
    (
        "no terminator at the end of a request",
        header(0x0B, "6d6500 7077"),
        Outbind(sequence_number=9, system_id="me", password="pw"),
        [Deviation.TERMINATOR_MISSING],
    ),
    (
        "too long in a response",
        header(0x80000004, "61" * 70 + "00"),
        SubmitSmResp(sequence_number=9, message_id="a" * 70),
        [Deviation.FIELD_TOO_LONG],
    ),
    (
        "sender too long in a deliver_sm",
        header(5, "00 05 00" + "61" * 25 + "00 01 01 3200" + "00" * 9 + "01 61"),
        DeliverSm(
            sequence_number=9,
            source_addr_ton=5,
            source_addr="a" * 25,
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr="2",
            short_message=b"a",
        ),
        [Deviation.FIELD_TOO_LONG],
    ),
    ("sm_length one too big", header(4, SUBMIT_HEAD + "03 6162"), submit(b"ab"), [Deviation.SM_LENGTH_OFF_BY_ONE]),
    (
        "sm_length one too big before TLVs",
        header(4, SUBMIT_HEAD + "03 6162 0427 0001 02"),
        submit(b"ab", tlvs=STATE),
        [Deviation.SM_LENGTH_OFF_BY_ONE],
    ),
    (
        "terminator not counted",
        header(4, SUBMIT_HEAD + "02 6162 00"),
        submit(b"ab"),
        [Deviation.SM_LENGTH_OFF_BY_ONE],
    ),
    ("last octet not counted", header(4, SUBMIT_HEAD + "01 6162"), submit(b"ab"), [Deviation.SM_LENGTH_OFF_BY_ONE]),
    (
        "terminator not counted before TLVs",
        header(4, SUBMIT_HEAD + "02 6162 00 0427 0001 02"),
        submit(b"ab", tlvs=STATE),
        [Deviation.SM_LENGTH_OFF_BY_ONE],
    ),
    (
        "octets that are no TLV",
        header(4, SUBMIT_HEAD + "02 6162 ffffff"),
        submit(b"ab"),
        [Deviation.TLV_UNREADABLE],
    ),
    (
        "a TLV that claims too much, behind a good one",
        header(4, SUBMIT_HEAD + "02 6162 0427 0001 02 001e 0041 6162"),
        submit(b"ab", tlvs=STATE),
        [Deviation.TLV_UNREADABLE],
    ),
    (
        "a TLV without its value",
        header(4, SUBMIT_HEAD + "02 6162 0427 0001 02 0204 0002"),
        submit(b"ab", tlvs=STATE),
        [Deviation.TLV_UNREADABLE],
    ),
    (
        "a TLV of no length",
        header(4, SUBMIT_HEAD + "02 6162 0427 0000"),
        submit(b"ab", tlvs={0x427: b""}),
        [],
    ),
    (
        "TLVs in odd order, one of them twice",
        header(4, SUBMIT_HEAD + "02 6162 1400 0001 61 0204 0002 0007 001e 0002 3700 1400 0001 62"),
        submit(b"ab", tlvs=Tlvs([(0x1400, b"a"), (0x204, b"\0\7"), (0x1E, b"7\0"), (0x1400, b"b")])),
        [],
    ),
    ("padding", header(4, SUBMIT_HEAD + "02 6162" + "00" * 20), submit(b"ab"), [Deviation.PADDING]),
    (
        "padding behind TLVs",
        header(4, SUBMIT_HEAD + "02 6162 0427 0001 02 00 0000"),
        submit(b"ab", tlvs=STATE),
        [Deviation.PADDING],
    ),
    (
        "padding between TLVs",
        header(4, SUBMIT_HEAD + "02 6162 0000 0000 0427 0001 02"),
        submit(b"ab", tlvs=STATE),
        [Deviation.PADDING],
    ),
    (
        "a message_id of fixed width",
        header(0x80000004, "37" + "00" * 64),
        SubmitSmResp(sequence_number=9, message_id="7"),
        [Deviation.PADDING],
    ),
    (
        "addresses of fixed width",
        header(5, "00 01 01 31323320202000 01 01 342000" + "00" * 9 + "01 61"),
        DeliverSm(
            sequence_number=9,
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="123",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr="4",
            short_message=b"a",
        ),
        [Deviation.ADDRESS_PADDED, Deviation.ADDRESS_PADDED],
    ),
    (
        "addresses of fixed width in a data_sm",
        header(0x103, "00 01 01 2031 2000 01 01 00 04 00 00"),
        DataSm(
            sequence_number=9,
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr=" 1",
            dest_addr_ton=1,
            dest_addr_npi=1,
            esm_class=4,
        ),
        [Deviation.ADDRESS_PADDED],
    ),
    (
        "blanks behind an address that a customer of ours gave",
        header(4, "00 01 01 3120 00 01 01 3200" + "00" * 10),
        SubmitSm(
            sequence_number=9,
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr="1 ",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr="2",
        ),
        [],
    ),
    ("a terminator where no body belongs", header(0x15, "00"), EnquireLink(sequence_number=9), [Deviation.PADDING]),
    ("a body where none belongs", header(0x15, "0102"), EnquireLink(sequence_number=9), [Deviation.TLV_UNREADABLE]),
    ("TLVs where none belong", header(0x80000000, "0427 0001 02"), GenericNack(sequence_number=9, tlvs=STATE), []),
    ("both texts", header(0x103, "00" * 10 + "0424 0000"), DataSm(sequence_number=9, tlvs={0x424: b""}), []),
]


@pytest.mark.parametrize(("name", "frame", "pdu", "deviations"), TOLERATED, ids=[case[0] for case in TOLERATED])
def test_tolerated_and_counted(name: str, frame: bytes, pdu: Pdu, deviations: list[Deviation]) -> None:
    noted: list[str] = []
    assert decode(frame, noted.append) == pdu
    assert noted == deviations
    assert decode(frame) == pdu


def test_every_deviation_is_in_the_table() -> None:
    assert {deviation for case in TOLERATED for deviation in case[3]} == set(Deviation)


# --- small things --------------------------------------------------------------------------------------------------


def test_errors_are_answered_without_a_body_where_the_standard_says_so() -> None:
    assert len(encode(SubmitSmResp(command_status=Status.ESME_RTHROTTLED))) == 16
    assert len(encode(SubmitSmResp(command_status=Status.ESME_RTHROTTLED, message_id="7"))) == 18
    assert len(encode(SubmitSmResp())) == 17
    assert len(encode(DeliverSmResp(command_status=Status.ESME_RX_T_APPN))) == 17


def test_pdus_are_plain_values() -> None:
    one, other = submit(b"a"), submit(b"a")
    assert one == other
    other.tlvs[5] = b""
    assert one != other
    assert one != DeliverSm()
    assert repr(submit(b"a", tlvs=STATE)) == (
        "SubmitSm(sequence_number=9, tlvs={1063: b'\\x02'}, source_addr_ton=1, source_addr_npi=1, source_addr='1', "
        "dest_addr_ton=1, dest_addr_npi=1, destination_addr='2', short_message=b'a')"
    )
    with pytest.raises(AttributeError):
        one.sourceaddr = "2"  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        hash(one)
    with pytest.raises(TypeError):
        SubmitSm("CMT")  # type: ignore[call-arg, arg-type]


def test_tlvs_are_not_shared() -> None:
    SubmitSm().tlvs[1] = b"x"
    assert SubmitSm().tlvs == {}
    first, second = decode(encode(SubmitSm())), decode(encode(SubmitSm()))
    first.tlvs[1] = b"x"
    assert second.tlvs == {}


def test_blank() -> None:
    assert blank(0x80000004, sequence_number=3, command_status=8) == SubmitSmResp(sequence_number=3, command_status=8)
    assert blank(0x80000110, sequence_number=3, command_status=8) is None
