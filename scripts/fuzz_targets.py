"""What scripts/fuzz feeds octets to, each target with the rules that must hold for any octets at all.

A target takes octets and raises when a rule is broken. The first octet chooses the target, so one corpus serves all.
Nothing here knows the fuzzer: the test suite runs the same targets over the seeds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from smppgw.errors import FramingError, LocalProtocolError, Refusal, RemoteProtocolError
from smppgw.smpp import (
    BindTransceiver,
    Closed,
    CommandId,
    DataSm,
    DeliverSm,
    EnquireLink,
    Event,
    Framer,
    OutbindReceived,
    Pdu,
    ReceiptRules,
    Rejected,
    RequestReceived,
    Role,
    Session,
    SessionState,
    SubmitSm,
    Tag,
    Timers,
    UnbindReceived,
    decode,
    encode,
    format_receipt,
    pdu_class,
    read_receipt,
)
from smppgw.smpp.codec import _decode_carefully
from smppgw.smpp.constants import RESPONSE_BIT
from smppgw.smpp.receipt_dates import utc_ms_of
from smppgw.smpp.receipt_text import fields_of, tokens_of
from smppgw.sms import dcs
from smppgw.sms.encoding import (
    Alphabet,
    DefaultAlphabet,
    Encoding,
    Language,
    LongMessages,
    Numbering,
    OnUnencodable,
    Packing,
    Wishes,
)
from smppgw.sms.plan import plan
from smppgw.sms.reassemble import join, join_parts

VECTORS = Path(__file__).parent.parent / "tests" / "vectors" / "smpp.json"
COMMANDS = [*(int(command) for command in CommandId), 0x110, 0x80000110]
NOW_UTC_MS = 1_790_000_000_000


def framed(command_id: int, body: bytes, *, status: int = 0, number: int = 1) -> bytes:
    """A frame whose command_length is true."""
    return b"".join(part.to_bytes(4, "big") for part in (16 + len(body), command_id, status, number)) + body


# --- the codec -----------------------------------------------------------------------------------------------------


def codec(data: bytes) -> None:
    """decode gives a PDU or a RemoteProtocolError; both of its roads agree; what can be encoded comes back equal."""
    command_id = COMMANDS[data[0] % len(COMMANDS)] if data else 0
    frame = framed(command_id, data[2:], status=data[1] if len(data) > 1 else 0, number=7)
    noted: list[str] = []
    try:
        pdu = decode(frame, noted.append)
    except RemoteProtocolError as error:
        assert error.command_status
        assert (error.command_id, error.sequence_number) == (command_id, 7)
        return
    again_noted: list[str] = []
    assert _decode_carefully(type(pdu), frame, pdu.command_status, 7, again_noted.append) == pdu
    assert again_noted == noted
    repr(pdu)
    try:
        again = encode(pdu)
    except LocalProtocolError:
        return  # tolerated on reading, not on writing
    assert decode(again) == pdu


# --- the framer ----------------------------------------------------------------------------------------------------


def framer(data: bytes) -> None:
    """However a stream is chopped, it gives the same frames, and loses its borders at the same place."""
    step = data[0] % 40 + 1 if data else 1
    stream = data[1:]
    found = []
    for size in (len(stream) or 1, step):
        subject = Framer(200, skipped_octets=400)
        frames: list[bytes] = []
        for start in range(0, len(stream), size):
            try:
                frames += subject.feed(stream[start : start + size])
            except FramingError:
                break
        found.append((frames, subject.error is None))
    assert found[0] == found[1]


# --- sessions ------------------------------------------------------------------------------------------------------

ORDER = list(SessionState)


class Walk:
    """A session under a little program: each step is an octet that says what happens, and what that needs."""

    def __init__(self, role: Role, *, is_bound: bool) -> None:
        self.now = 0.0
        self.session = Session(role, timers=Timers(5, 3, 40, 2), window=3, max_pdu_octets=300, now=0.0)
        self.ended = False
        self.owed: list[Pdu] = []
        if is_bound and role is Role.ESME:
            self.session.bind(BindTransceiver(system_id="me"), 0.0)
            self.check(self.session.receive_data(framed(CommandId.BIND_TRANSCEIVER_RESP, b"\0"), 0.0))
        elif is_bound:
            self.check(self.session.receive_data(encode(BindTransceiver(sequence_number=1)), 0.0))
            self.accept()
        self.session.data_to_send()

    def check(self, events: list[Event]) -> None:
        for event in events:
            assert not self.ended, "nothing comes after Closed"
            self.ended = isinstance(event, Closed)
            if isinstance(event, RequestReceived) and event.pdu.command_id != CommandId.ALERT_NOTIFICATION:
                self.owed.append(event.pdu)
        assert self.ended == (self.session.state is SessionState.CLOSED)
        assert 0 <= self.session.in_window <= 3
        assert self.session.in_window + self.session.window_free == 3

    def accept(self) -> None:
        """The owner of an SMSC's session accepts the bind it was told of."""
        if self.session.role is Role.SMSC and self.session.state is SessionState.BINDING:
            self.session.accept_bind(self.owed.pop(), "smsc")  # type: ignore[arg-type]

    def frame(self, frame: bytes) -> None:
        """One whole frame, when none before it is incomplete: at most one answer, and none to a response."""
        before = ORDER.index(self.session.state)
        was_open = not self.ended
        self.session.data_to_send()
        events = self.session.receive_data(frame, self.now)
        self.check(events)
        answers = Framer().feed(self.session.data_to_send())
        assert ORDER.index(self.session.state) >= before, "states only move forward"
        if not was_open:
            assert not events
            assert not answers
            return
        if frame[4] & 0x80:
            assert not answers, "a response is never answered"
            return
        command_id = int.from_bytes(frame[4:8], "big")
        told = [event for event in events if not isinstance(event, Closed)]
        assert len(told) <= 1
        own = not told or isinstance(told[0], Rejected | UnbindReceived)
        assert own or isinstance(told[0], RequestReceived | OutbindReceived)
        assert len(answers) == own, "each request is answered, or told to the owner"
        assert told or command_id == CommandId.ENQUIRE_LINK
        if answers:
            assert answers[0][12:16] == frame[12:16]
            assert answers[0][4:8] in ((command_id | RESPONSE_BIT).to_bytes(4, "big"), b"\x80\0\0\0")

    def ask(self) -> None:
        """A request of ours, allowed or not."""
        request = SubmitSm() if self.session.role is Role.ESME else DeliverSm()
        try:
            self.session.request(request, self.now, "cookie")
        except LocalProtocolError:
            return

    def answer(self) -> None:
        if self.session.state is SessionState.BINDING:
            self.accept()
        elif self.owed:
            request = self.owed.pop()
            cls = pdu_class(request.command_id | RESPONSE_BIT)
            assert cls is not None
            self.session.respond(cls(sequence_number=request.sequence_number))

    def unbind(self) -> None:
        try:
            self.session.unbind(self.now)
        except LocalProtocolError:
            return


def session(data: bytes) -> None:
    """No octets make a session raise, go back, answer twice or answer a response."""
    if not data:
        return
    walk = Walk(Role.SMSC if data[0] & 1 else Role.ESME, is_bound=bool(data[0] & 2))
    position = 1
    whole = True  # no frame is half read
    while position < len(data):
        step, position = data[position], position + 1
        if step < 0xA0 and whole:
            command_id = COMMANDS[step % len(COMMANDS)]
            head = data[position : position + 3].ljust(3, b"\0")
            body = data[position + 3 : position + 3 + head[0]]
            position += 3 + head[0]
            walk.frame(framed(command_id, body, status=head[1], number=head[2]))
        elif step < 0xB0:
            piece = data[position : position + step % 16]
            position += step % 16
            walk.check(walk.session.receive_data(piece, walk.now))
            whole = False
        elif step < 0xC0:
            walk.now += step % 16
            walk.check(walk.session.tick(walk.now))
            assert walk.session.next_deadline() > walk.now
        elif step < 0xD0:
            walk.ask()
        elif step < 0xE0:
            walk.answer()
        elif step < 0xE8:
            walk.unbind()
        elif step == 0xFF:
            walk.check(walk.session.receive_eof(walk.now))


# --- receipts ------------------------------------------------------------------------------------------------------

RULES = [
    ReceiptRules(),
    ReceiptRules(sniff=True),
    ReceiptRules(states={"1": 2, "X": 5}, acceptd_delivered=True, zone=ZoneInfo("Europe/Rome"), sniff=True),
]


def receipt(data: bytes) -> None:
    """Reading never raises, says only what the table allows, and the short road agrees with the tokenizer."""
    if len(data) < 4:
        return
    rules, esm_class, data_coding, shape = RULES[data[0] % len(RULES)], data[1], data[2], data[3]
    body = data[4:]
    tlvs: dict[int, bytes] = {}
    for bit, tag in enumerate((Tag.RECEIPTED_MESSAGE_ID, Tag.MESSAGE_STATE, Tag.NETWORK_ERROR_CODE, 0x1501)):
        if shape >> bit & 1:
            size = body[0] if body else 0
            tlvs[int(tag)], body = body[1 : 1 + size], body[1 + size :]
    pdu: DeliverSm | DataSm
    if shape & 0x10:
        pdu = DataSm(esm_class=esm_class, data_coding=data_coding, tlvs={**tlvs, Tag.MESSAGE_PAYLOAD: body})
    else:
        pdu = DeliverSm(esm_class=esm_class, data_coding=data_coding, short_message=body, tlvs=tlvs)
    found = read_receipt(pdu, rules, NOW_UTC_MS if shape & 0x20 else None)
    if found is not None:
        assert utc_ms_of(found.done_date, rules.zone) is None or found.done_utc_ms is not None
        assert found.state in (None, *range(10))
        assert found.state in (None, 0, 1, 6) or esm_class & 0x3C != 0x20
        assert found.raw == body
        assert not found.sniffed or (rules.sniff and not esm_class & 0x3C and not shape & 3)
        hash((found.flags, found.tlvs))
    else:
        assert esm_class & 0x3C not in (0x04, 0x20)
    characters = body.decode("latin-1")
    assert fields_of(characters) == tokens_of(characters)
    utc_ms_of(characters, rules.zone, NOW_UTC_MS)


# --- content -------------------------------------------------------------------------------------------------------

LANGUAGES = tuple(Language)
ENCODINGS = [
    Encoding(default_alphabet=alphabet, packing=packing, long=long, max_octets=most, national=national)
    for alphabet in DefaultAlphabet
    for packing in Packing
    for long in LongMessages
    for most in (40, 139, 140)
    for national in ((), (Language.TURKISH,), LANGUAGES)
]
WISHES = [
    Wishes(smart=smart, on_unencodable=otherwise, message_class=message_class, elements=elements)
    for smart in (False, True)
    for otherwise in OnUnencodable
    for message_class in (None, 0)
    for elements in ((), ((5, b"\x0b\x84\x23\xf0"),))
]


def reading(data: bytes) -> None:
    """Whatever a carrier calls text can be read, stored and shown; nothing of the octets is lost."""
    if len(data) < 4:
        return
    encoding, data_coding, udhi = ENCODINGS[int.from_bytes(data[:2], "big") % len(ENCODINGS)], data[2], bool(data[3])
    octets = data[4:]
    found = dcs.decode(octets, data_coding, udhi, encoding)
    assert found.octets == octets
    assert found.text == dcs.decode_text(octets, data_coding, udhi, encoding)
    assert "\0" not in found.text
    found.text.encode()


def planning(data: bytes) -> None:
    """A text is refused by name, or its segments fit and give the text that was planned."""
    if len(data) < 3:
        return
    encoding = ENCODINGS[int.from_bytes(data[:2], "big") % len(ENCODINGS)]
    wishes = WISHES[data[2] % len(WISHES)]
    text = data[3:].decode("utf-8", "replace")
    if data[2] & 0x80:
        text += "\ud83d"  # half of a pair
    try:
        made = plan(text, encoding=encoding, wishes=wishes, reference=7)
    except Refusal as refusal:
        assert refusal.code in ("empty_text", "unencodable", "too_long"), refusal.code
        return
    assert 1 <= len(made.segments) <= made.parts <= 255
    if made.payload:
        assert len(made.segments) == 1
    elif made.alphabet is Alphabet.UCS2:
        assert all(len(segment) <= encoding.max_octets for segment in made.segments)
    udhi = bool(made.esm_class & 0x40)
    if udhi and len(made.segments) > 1:
        back = join(made.segments, data_coding=made.data_coding, udhi=True, encoding=encoding)
    else:
        back = dcs.decode_text(b"".join(made.segments), made.data_coding, udhi, encoding)
        if made.numbering is Numbering.SAR:
            back = join_parts(made.segments, data_coding=made.data_coding, encoding=encoding)
    if "\r" not in made.text and "\ufeff" not in made.text and "\ufffe" not in made.text:
        assert back == made.text
    if not made.replaced:
        assert made.text == text


# --- all together --------------------------------------------------------------------------------------------------

TARGETS: list[Callable[[bytes], None]] = [codec, session, receipt, framer, reading, planning]


def run(data: bytes) -> None:
    """Gives `data` to the target that its first octet names."""
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:])


TEXTS = [
    "id:1b-2 sub:001 dlvrd:001 submit date:2601020304 done date:2601020305 stat:DELIVRD err:000 text:Hello",
    "id:7 submit date:260102030405 done date:20260102030405 stat:UNDELIV err:21b Text:Hi id:8",
    "STAT=EXPIRED, ID=7; done date: 26-01-02 03:04 text:x err:1",
    "id: stat: submitdate:0000000000 text: stat:ACCEPTD",
]


def seeds() -> Iterator[bytes]:
    """What fuzzing starts from: the PDUs of tests/vectors, every command, receipts, and short walks of a session."""
    frames = [bytes.fromhex(pdu["hex"]) for pdu in json.loads(VECTORS.read_text(encoding="utf-8"))["pdus"]]
    frames += [encode(cls()) for command in CommandId if (cls := pdu_class(command)) is not None]
    frames.append(encode(DeliverSm(esm_class=4, short_message=TEXTS[0].encode(), tlvs={0x1E: b"7\0", 0x427: b"\2"})))
    for frame in frames:
        index = COMMANDS.index(int.from_bytes(frame[4:8], "big"))
        yield bytes((0, index, frame[11])) + frame[16:]
        if len(frame) < 250:
            for kind in range(4):
                yield bytes((1, kind, index, len(frame) - 16, frame[11], 2)) + frame[16:] + b"\xb1\xc0\xd0\xe0"
    yield bytes((3, 5)) + b"".join(frames[:4])
    for text in TEXTS:
        for shape in (0, 0x20, 0x30):
            yield bytes((2, 2, 4, 0, shape)) + text.encode()
        yield bytes((2, 1, 0, 8, 0)) + text.encode("utf-16-be")
        yield bytes((2, 1, 4, 0, 7, 2)) + b"7\0" + b"\1\2" + b"\3\3\0\1" + text.encode()
    octets = format_receipt(
        message_id="7", sub=1, dlvrd=1, submit_utc_ms=0, done_utc_ms=NOW_UTC_MS, stat="X", err="1", text="Grüße"
    )
    yield bytes((2, 0, 0x44, 0, 0)) + b"\5\0\3\1\1\1" + octets
    for text in (*TEXTS, "Ağaç ş “…” 👨‍👩‍👧 {[]}€\r\n", "आपका कोड", "中文", "e\u0301" * 40, "\x1b"):
        for start in range(0, len(ENCODINGS), 97):
            yield bytes((5, start >> 8, start & 0xFF, start % len(WISHES))) + text.encode()
            yield bytes((4, start >> 8, start & 0xFF, start % 17, 0)) + text.encode()
    yield bytes.fromhex("0400000001 06050415820000 00ff") + bytes.fromhex("0400100001 03240101 1b69")
    yield bytes((1, 2)) + b"".join(bytes((COMMANDS.index(CommandId.ENQUIRE_LINK), 0, 0, n)) for n in range(5))
    yield bytes((3, 3)) + encode(EnquireLink()) + b"\0\0\0\x0f" + bytes(20)
    yield bytes((3, 7)) + framed(4, bytes(250)) + encode(EnquireLink())


def words() -> list[bytes]:
    """Words worth trying, for the fuzzer's dictionary."""
    names = ["id:", "sub:", "dlvrd:", "submit date:", "done date:", "stat:", "err:", "text:", "status=", " :"]
    values = ["DELIVRD", "ACCEPTD", "ENROUTE", "2601020304", "201012112233", "20260102030405", " 03:04:05", "Z"]
    tlvs = [bytes.fromhex(text) for text in ("0427000102", "001e000237", "02040002", "04240000", "00000000")]
    return [*(word.encode() for word in names + values), *tlvs]
