"""What the daemon says and answers when it cannot start, and how it reports what went wrong."""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from typing import Any

import pytest

from smppgw.daemon import leaves, run

from .end_to_end.world import settings_for


@pytest.fixture(autouse=True)
def root_logger() -> Any:
    """`run` sets up the log of the whole process; the next test gets the one it had."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before
    logging.captureWarnings(False)


def test_a_taken_port_is_told_with_its_key_and_is_a_matter_of_configuration(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = settings_for(tmp_path, 1)
        http = settings.http.model_copy(update={"port": taken.getsockname()[1]})
        assert run(settings.model_copy(update={"http": http})) == 2
    told = capfd.readouterr().err
    assert "http.port" in told
    assert "Traceback" not in told


def test_a_taken_outbind_port_is_told_in_the_same_way(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = settings_for(tmp_path, 1, outbind={"port": taken.getsockname()[1]})
        assert run(settings) == 2
    told = capfd.readouterr().err
    assert "carriers.demo.outbind: cannot listen on 127.0.0.1:" in told
    assert "Traceback" not in told


def test_a_store_that_cannot_be_opened_is_told_without_a_traceback(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "store.db").write_bytes(b"not a database " * 100)
    assert run(settings_for(tmp_path, 1)) == 1
    told = capfd.readouterr().err
    assert "damaged" in told
    assert "Traceback" not in told


def test_the_leaves_of_nested_groups() -> None:
    one, two, three = ValueError("1"), KeyError("2"), OSError("3")
    group = ExceptionGroup("outer", [one, ExceptionGroup("inner", [two, three])])
    assert list(leaves(group)) == [one, two, three]
    assert list(leaves(one)) == [one]
