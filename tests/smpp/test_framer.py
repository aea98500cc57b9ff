from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smppgw.errors import FramingError
from smppgw.smpp import EnquireLink, Framer, SubmitSm, encode
from smppgw.smpp.framer import MAX_PDU_OCTETS, MAX_SKIPPED_OCTETS


def frame(octets: int) -> bytes:
    return octets.to_bytes(4, "big") + bytes(octets - 4)


def chop(stream: bytes, cuts: list[int]) -> list[bytes]:
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[start:stop] for start, stop in itertools.pairwise(edges)]


@given(st.lists(st.integers(16, 300), max_size=12), st.lists(st.integers(0, 4000)), st.integers(0, 15))
def test_any_chopping_gives_the_same_frames(sizes: list[int], cuts: list[int], tail: int) -> None:
    frames = [frame(size) for size in sizes]
    stream = b"".join(frames) + frame(16)[:tail]
    framer = Framer()
    found = [cut for piece in chop(stream, cuts) for cut in framer.feed(piece)]
    assert found == frames
    assert framer.feed(frame(16)[tail:]) == [frame(16)], "what has not arrived whole is kept"


def test_one_octet_at_a_time() -> None:
    stream = encode(SubmitSm(short_message=b"hello")) + encode(EnquireLink())
    framer = Framer()
    counts = [len(framer.feed(stream[i : i + 1])) for i in range(len(stream))]
    assert sum(counts) == 2
    assert counts[-1] == 1


def test_bytearrays_are_taken_and_frames_are_bytes() -> None:
    (found,) = Framer().feed(bytearray(frame(20)))
    assert type(found) is bytes


@pytest.mark.parametrize(
    ("length", "good"),
    [
        (0, False),
        (4, False),
        (15, False),
        (16, True),
        (1000, True),
        (1001, False),
        (0x80000010, False),
        (0xFFFFFFFF, False),
    ],
)
def test_limits_of_command_length(length: int, good: bool) -> None:
    framer = Framer(max_octets=1000)
    start = length.to_bytes(4, "big")
    if good:
        assert framer.feed(start) == []
    else:
        with pytest.raises(FramingError, match=f"command_length {length}"):
            framer.feed(start)


def test_the_border_is_lost_as_soon_as_the_length_is_there() -> None:
    framer = Framer()
    assert framer.feed(b"GET") == []
    with pytest.raises(FramingError):
        framer.feed(b" ")


def test_good_frames_before_a_bad_one_are_not_lost() -> None:
    framer = Framer()
    assert framer.feed(frame(16) + frame(17) + bytes(20)) == [frame(16), frame(17)]
    assert framer.error is not None
    with pytest.raises(FramingError):
        framer.feed(frame(16))


@given(st.lists(st.integers(16, 400), max_size=12), st.lists(st.integers(0, 4000)))
def test_of_what_is_too_long_only_the_header_is_kept(sizes: list[int], cuts: list[int]) -> None:
    stream = b"".join(map(frame, sizes))
    framer = Framer(max_octets=100, skipped_octets=300)
    expected: list[bytes] = []
    lost = False
    for size in sizes:
        lost = lost or size > 300
        if not lost:
            expected.append(frame(size) if size <= 100 else frame(size)[:16])
    found: list[bytes] = []
    for piece in chop(stream, cuts):
        try:
            found += framer.feed(piece)
        except FramingError:
            break
    assert found == expected
    assert (framer.error is not None) == lost


def test_the_default_limits_leave_room_for_every_pdu_of_the_standard() -> None:
    longest = encode(SubmitSm(short_message=bytes(254), tlvs={0x424: bytes(0xFFFF)}))
    assert len(longest) < MAX_PDU_OCTETS < MAX_SKIPPED_OCTETS
    assert Framer().feed(longest) == [longest]


def test_cost_does_not_grow_with_the_square_of_a_pdu() -> None:
    """4 MiB in pieces of 256 octets: copying the buffer at each piece would move 32 GiB, which takes seconds."""
    big = frame(4 << 20)
    framer = Framer(max_octets=len(big))
    before = time.process_time()
    found = [cut for start in range(0, len(big), 256) for cut in framer.feed(big[start : start + 256])]
    assert found == [big]
    assert time.process_time() - before < 1.0


def test_hundreds_of_frames_in_one_read() -> None:
    frames = [frame(16 + n % 40) for n in range(500)]
    framer = Framer()
    assert framer.feed(b"".join(frames) + b"\0\0") == frames
    assert framer.feed(b"\0\x10" + bytes(12)) == [frame(16)]
