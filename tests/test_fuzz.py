"""scripts/fuzz: its targets hold for its seeds, notice what is broken, and the command tells what it offers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts import fuzz_targets
from smppgw.smpp import Session

ROOT = Path(__file__).parent.parent
SEEDS = list(fuzz_targets.seeds())


def test_the_seeds_hold() -> None:
    for octets in SEEDS:
        fuzz_targets.run(octets)
    assert {octets[0] % len(fuzz_targets.TARGETS) for octets in SEEDS} == set(range(len(fuzz_targets.TARGETS)))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(1, 400), st.integers(0, 255)), max_size=4))
def test_what_is_near_the_seeds_holds(seed: bytes, changes: list[tuple[int, int]]) -> None:
    octets = bytearray(seed)
    for at, octet in changes:
        octets[at % len(octets)] = octet
    fuzz_targets.run(bytes(octets))


def test_a_session_that_answers_a_response_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = Session._response_received

    def answering(self: Session, pdu: object, now: float, events: list[object]) -> None:
        self._out.append(bytes.fromhex("00000010 80000000 00000003 00000001"))
        sound(self, pdu, now, events)  # type: ignore[arg-type]

    monkeypatch.setattr(Session, "_response_received", answering)
    with pytest.raises(AssertionError, match="never answered"):
        for octets in SEEDS:
            fuzz_targets.run(octets)


def test_help_has_examples() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "scripts.fuzz", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for words in ("--seconds", "--seed", "--reproduce", "scripts/fuzz --seconds 3600 --seed 7"):
        assert words in told


def test_a_saved_input_is_run_again(tmp_path: Path) -> None:
    (tmp_path / "crash-1").write_bytes(SEEDS[0])
    command = [sys.executable, "-m", "scripts.fuzz", "--reproduce", str(tmp_path / "crash-1")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "Nothing is wrong with it now." in done.stdout
