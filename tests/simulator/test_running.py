"""Simulators in threads and processes: what they leave behind, and what becomes of them when something fails."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
import trio
import trio.lowlevel

from simulator import SimulatorSettings, Smsc
from simulator.running import Host, NotRunning, ProcessHost, ThreadHost

from .clients import PATIENCE_S

MakeHost = Callable[[SimulatorSettings], Host]


@pytest.fixture(params=[ThreadHost, ProcessHost])
def make(request: pytest.FixtureRequest) -> Iterator[MakeHost]:
    made: list[Host] = []

    def host(settings: SimulatorSettings) -> Host:
        made.append(request.param(settings))
        return made[-1]

    yield host
    for one in made:
        with suppress(NotRunning):
            one.stop(0.0)


@pytest.fixture
def thread() -> Iterator[ThreadHost]:
    host = ThreadHost(SimulatorSettings())
    host.start()
    yield host
    with suppress(NotRunning):
        host.stop(0.0)


def listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S):
            return True
    except ConnectionRefusedError:
        return False


def test_start_and_stop_may_be_called_twice(make: MakeHost) -> None:
    host = make(SimulatorSettings())
    assert not host.running
    host.start()
    port = host.settings.port
    host.start()
    assert (host.running, host.settings.port, listens(port)) == (True, port, True)
    host.stop(0.0)
    host.stop(0.0)
    assert (host.running, listens(port)) == (False, False)


def test_asked_before_and_after(make: MakeHost) -> None:
    host = make(SimulatorSettings())
    with pytest.raises(NotRunning, match="stopped, or not been started"):
        host.control.find("summary")
    host.start()
    assert host.control.find("summary")["summary"]["connections"] == 0
    host.stop(0.0)
    with pytest.raises(NotRunning, match="stopped, or not been started"):
        host.control.order("stall")


def test_both_answer_alike() -> None:
    hosts: list[Host] = [ThreadHost(SimulatorSettings(port=0)), ProcessHost(SimulatorSettings(port=0))]
    answers = []
    for host in hosts:
        host.start()
        control = host.control
        answers.append(
            [
                control.find("summary"),
                control.find("binds"),
                control.find("submits", {"to": "+4477*", "limit": 3, "text": "ä&=?#"}),
                control.find("submits", {"limit": -1}),
                control.order("rate", {"rate": 0}),
                control.order("a/b c"),
                control.order("inject", {"from": "1", "to": "2", "text": "ä"}),
                control.expect({"what": "bind", "within_s": 0.0}),
            ]
        )
        host.stop(0.0)
    assert answers[0] == answers[1]
    assert [answer["ok"] for answer in answers[0]] == [True, True, True, False, False, False, False, False]


def test_a_control_port_of_its_own(make: MakeHost) -> None:
    host = make(SimulatorSettings(control_port=0))
    host.start()
    assert host.settings.control_port is not None
    assert listens(host.settings.control_port)
    host.stop(0.0)
    assert not listens(host.settings.control_port)


def test_a_port_that_is_taken(make: MakeHost) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host = make(SimulatorSettings(port=taken.getsockname()[1]))
        with pytest.raises((OSError, NotRunning), match="in use"):
            host.start()
        assert not host.running
    host.start()
    assert host.running


def test_a_ledger_that_cannot_be_opened(make: MakeHost, tmp_path: Path) -> None:
    host = make(SimulatorSettings(ledger=tmp_path / "nowhere" / "ledger.jsonl"))
    with pytest.raises((OSError, NotRunning), match="nowhere"):
        host.start()
    assert not host.running


def test_unbound_within_the_grace(make: MakeHost) -> None:
    host = make(SimulatorSettings())
    host.start()
    with socket.create_connection(("127.0.0.1", host.settings.port), timeout=PATIENCE_S) as client:
        body = b"alice\0\0\0\x34\0\0\0"
        client.sendall(bytes([0, 0, 0, 16 + len(body), 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1]) + body)
        assert client.recv(1000)[4:12] == b"\x80\0\0\x09\0\0\0\0"
        host.stop(0.2)
        assert client.recv(1000)[4:12] == b"\0\0\0\x06\0\0\0\0"  # unbind
        assert client.recv(1000) == b""


# --- threads --------------------------------------------------------------------------------------------------------


def test_no_thread_is_left(thread: ThreadHost) -> None:
    assert [one.name for one in threading.enumerate()].count("smsc") == 1
    with socket.create_connection(("127.0.0.1", thread.settings.port)):
        thread.stop(0.0)
    assert "smsc" not in [one.name for one in threading.enumerate()]


def test_a_failure_is_told_to_all_who_ask_and_to_who_stops_it(thread: ThreadHost) -> None:
    async def fail(smsc: Smsc) -> None:
        smsc._ledger_error = OSError(28, "No space left on device")
        smsc._ledger_failed.set()
        await trio.sleep_forever()

    with pytest.raises(NotRunning, match=r"it has been stopped|has failed"):
        thread.call(fail)
    with pytest.raises(NotRunning, match="No space left"):
        while True:
            thread.control.find("summary")
    assert not thread.running
    with pytest.raises(NotRunning, match="No space left"):
        thread.stop(0.0)
    thread.start()
    assert thread.control.find("summary")["ok"]


def test_what_the_function_raises_is_raised(thread: ThreadHost) -> None:
    async def fail(smsc: Smsc) -> None:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        thread.call(fail)
    assert thread.running


def test_a_function_that_takes_too_long_is_cancelled(thread: ThreadHost) -> None:
    ended = threading.Event()

    async def wait(smsc: Smsc) -> None:
        try:
            await trio.sleep_forever()
        finally:
            ended.set()

    with pytest.raises(TimeoutError, match=r"not answered within 0.05 s"):
        thread.call(wait, 0.05)
    assert ended.wait(PATIENCE_S)
    assert thread.running


def test_a_stop_ends_those_who_wait(thread: ThreadHost) -> None:
    started = threading.Event()
    told: list[str] = []

    async def wait(smsc: Smsc) -> None:
        started.set()
        await trio.sleep_forever()

    def ask() -> None:
        try:
            thread.call(wait, PATIENCE_S)
        except NotRunning as error:
            told.append(str(error))

    asking = threading.Thread(target=ask)
    asking.start()
    assert started.wait(PATIENCE_S)
    thread.stop(0.0)
    asking.join(PATIENCE_S)
    assert told == ["the simulator does not run: it has been stopped, or not been started"]


def test_it_does_not_wait_for_itself(thread: ThreadHost) -> None:
    async def ask(smsc: Smsc) -> None:
        thread.control.find("summary")

    with pytest.raises(RuntimeError, match="own thread"):
        thread.call(ask)


# --- processes ------------------------------------------------------------------------------------------------------


def test_a_process_that_is_killed_says_so() -> None:
    host = ProcessHost(SimulatorSettings())
    host.start()
    assert host.pid > 0

    async def look(smsc: Smsc) -> int:
        return smsc.stats.submits

    with pytest.raises(RuntimeError, match="process of its own"):
        host.call(look)
    assert host._process is not None
    host._process.kill()
    host._process.wait()
    with pytest.raises(NotRunning, match="exit code -9"):
        host.control.find("summary")
    with pytest.raises(NotRunning, match="exit code -9"):
        host.stop(0.0)
    with pytest.raises(NotRunning, match="not been started"):
        _ = host.pid
    host.start()
    host.stop(0.0)


def test_it_ends_with_whoever_started_it() -> None:
    """A suite that is killed leaves no simulator behind: the port is free again."""
    code = (
        "import os, sys\n"
        "from simulator.running import ProcessHost\n"
        "from simulator.settings import SimulatorSettings\n"
        "host = ProcessHost(SimulatorSettings())\n"
        "host.start()\n"
        "print(host.settings.port, flush=True)\n"
        "os._exit(9)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 9, run.stderr
    port = int(run.stdout)
    gone = (ConnectionRefusedError, ConnectionResetError)
    with suppress(*gone), socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as last:
        assert last.recv(1) == b""  # it was still there, and ends this with itself
    assert not listens(port)


def test_settings_travel_whole() -> None:
    settings = replace(SimulatorSettings(system_id="Other", rate=5.0, max_waiting=7), seed=9)
    host = ProcessHost(settings)
    host.start()
    try:
        assert replace(host.settings, port=0, control_port=None) == settings
        assert host.control.order("inject", {"from": "1", "to": "2", "text": "x", "system_id": "a"})["ok"]
    finally:
        host.stop(0.0)
