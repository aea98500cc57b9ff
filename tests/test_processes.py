"""Programs as processes: what they print is found once it is whole, and their end is told."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from scripts.processes import Failed, Program, json_lines


def test_only_whole_lines_count(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text('{"a": 1}\nno JSON\n{"b": {"c": 2}}\n{"d": {"e": 3}')
    assert list(json_lines(path)) == [{"a": 1}, {"b": {"c": 2}}]
    path.write_text('{"half": {"a": 1}')
    assert list(json_lines(path)) == []


def test_it_is_waited_for_and_stopped(tmp_path: Path) -> None:
    program = Program("the simulator", ["simulator", "--port", "0", "--json"], out=tmp_path / "out")
    try:
        assert program.line(host="127.0.0.1")["port"] > 0
        program.signal(signal.SIGINT)
        assert program.wait() == 0
        assert program.line(duplicates=0)["submits"] == 0, "what it printed last, after its end"
    finally:
        program.kill()


def test_one_that_ends_at_once_says_why(tmp_path: Path) -> None:
    program = Program("the simulator", ["simulator", "--prot", "0"], out=tmp_path / "out", err=tmp_path / "err")
    with pytest.raises(Failed, match=r"(?s)^the simulator ended at once with exit code 2\n.*No such option.*--prot"):
        program.line(host="127.0.0.1")


def test_whoever_waits_is_asked_on_the_way(tmp_path: Path) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    program = Program("the simulator", ["simulator", "--port", "0"], out=tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        program.line(look=interrupted, never="printed")
    assert program.kill() == -signal.SIGKILL
