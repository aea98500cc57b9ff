"""The plugin in test suites of others: runs of pytest inside of this one, with clients that know nothing of us."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import simulator

pytest_plugins = ["pytester"]

#: What a suite without our pytest.ini has to run with: warnings are errors, since a leaked socket is one.
_STRICT = ("-W", "error", "--strict-markers", "-p", "no:cacheprovider", "-p", "no:randomly")

CLIENT = """\
import contextlib, logging
import pytest, smpplib.client

logging.getLogger("smpplib").setLevel(logging.CRITICAL)

@contextlib.contextmanager
def bound(smsc, system_id="alice", password=""):
    client = smpplib.client.Client(smsc.host, smsc.port, timeout=20, allow_unknown_opt_params=True)
    try:
        client.connect()
        client.bind_transceiver(system_id=system_id, password=password)
        yield client
    finally:
        client.disconnect()

def send(client, text, to="447700900123"):
    client.send_message(source_addr_ton=5, source_addr="SHOP", dest_addr_ton=1, destination_addr=to,
                        registered_delivery=1, short_message=text)
"""


def run(pytester: pytest.Pytester, suite: str, *options: str) -> pytest.RunResult:
    """Runs a suite in a process of its own, as its owner would."""
    pytester.makepyfile(client=CLIENT)
    pytester.makepyfile(test_suite=suite)
    return pytester.runpytest_subprocess(*_STRICT, *options, timeout=300)


def test_it_is_found_by_itself() -> None:
    (found,) = [one for one in entry_points(group="pytest11") if one.value == "simulator.pytest_plugin"]
    assert found.name == "smppgw-simulator"


PLAIN = """\
import socket, threading, time
import pytest, smpplib.exceptions
from client import bound, send

def test_a_client(smsc):
    with bound(smsc) as client:
        send(client, b"hello")
        (message,) = smsc.expect(text="hello", to="4477*")
        assert message.source == "SHOP"

@pytest.mark.smsc("ids-hex-dec", message_id_start=255, receipt_delay="72h")
def test_a_scenario_and_settings(smsc):
    ids, receipts = [], []
    with bound(smsc) as client:
        client.set_message_sent_handler(lambda pdu: ids.append(pdu.message_id))
        client.set_message_received_handler(lambda pdu: receipts.append(pdu.short_message))
        send(client, b"hello")
        client.read_once()
        assert ids == [b"ff"]
        smsc.advance(days=3)
        client.read_once()
        assert b"id:255 " in receipts[0]

@pytest.mark.smsc(accounts={"alice": "secret"})
class TestOfAClass:
    def test_the_mark_of_the_class(self, smsc):
        with pytest.raises(smpplib.exceptions.PDUError, match="Invalid Password"):
            with bound(smsc, "alice", "guess"):
                pass

    @pytest.mark.smsc(accounts={"alice": "other"}, subprocess=True)
    def test_the_nearest_mark_has_the_last_word(self, smsc):
        with bound(smsc, "alice", "other"):
            smsc.wait_bound()

def test_several(smsc_factory):
    one, other = smsc_factory(system_id="One"), smsc_factory(subprocess=True)
    assert one.port != other.port
    with bound(one), bound(other):
        assert len(one.wait_bound()) == len(other.wait_bound()) == 1

left = []

def test_a_client_that_never_leaves(smsc):
    sock = socket.create_connection((smsc.host, smsc.port))
    left.append((sock, smsc))
    smsc.wait_until(lambda: smsc.summary().connections == 1)

def test_nothing_is_left():
    sock, smsc = left.pop()
    sock.settimeout(20)
    try:
        assert sock.recv(1) == b""
    except ConnectionResetError:
        pass
    sock.close()
    assert not smsc.running
    assert [thread.name for thread in threading.enumerate() if thread.name == "smsc"] == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((smsc.host, smsc.port))
"""


def test_plain_code(pytester: pytest.Pytester) -> None:
    run(pytester, PLAIN).assert_outcomes(passed=7)


def test_plain_code_without_pytest_trio_and_anyio(pytester: pytest.Pytester) -> None:
    run(pytester, PLAIN, "-p", "no:trio", "-p", "no:anyio", "-k", "client or left").assert_outcomes(
        passed=3, deselected=4
    )


def test_with_xdist(pytester: pytest.Pytester) -> None:
    many = PLAIN.partition("def test_a_client")[0] + (
        "\n@pytest.mark.parametrize('number', range(10))\n"
        "def test_many(smsc, number):\n"
        "    with bound(smsc) as client:\n"
        "        send(client, b'%d' % number)\n"
        "        smsc.expect(text=str(number), exactly=True, within_s=0.2)\n"
        "        assert smsc.summary()['submits'] == 1\n"
    )
    run(pytester, many, "-n", "2").assert_outcomes(passed=10)


LOOPS = """\
import asyncio
import anyio, pytest
from simulator.testing import ExpectationFailed

async def converse(smsc):
    assert (await smsc.aio.summary()).connections == 0
    stream = await anyio.connect_tcp(smsc.host, smsc.port)
    async with stream:
        body = b"alice\\0\\0\\0" + b"\\x34" + b"\\0\\0\\0"
        size = (16 + len(body)).to_bytes(4, "big")
        await stream.send(size + b"\\0\\0\\0\\x09" + bytes(4) + b"\\0\\0\\0\\x01" + body)
        with anyio.fail_after(20):
            answer = await stream.receive()
        assert answer[4:12] == b"\\x80\\0\\0\\x09" + bytes(4)
        (bind,) = await smsc.aio.wait_bound(system_id="alice")
        smsc.inject("447700900001", "12345", "STOP")
        with anyio.fail_after(20):
            assert b"STOP" in await stream.receive()
        with pytest.raises(RuntimeError, match="await smsc.aio.expect"):
            smsc.expect()
        with pytest.raises(ExpectationFailed):
            await smsc.aio.expect(text="never", within_s=0.05)
        assert await smsc.aio.cut() == 1

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_anyio(smsc, anyio_backend):
    await converse(smsc)

def test_asyncio(smsc):
    asyncio.run(converse(smsc))

@pytest.mark.trio
async def test_trio(smsc):
    await converse(smsc)
"""


def test_event_loops(pytester: pytest.Pytester) -> None:
    run(pytester, LOOPS).assert_outcomes(passed=4)


FAILING = """\
import pytest
from client import bound, send

def test_fails(smsc):
    with bound(smsc) as client:
        send(client, b"hello")
        smsc.expect(text="bye", within_s=0.2)

@pytest.mark.smsc(receipt_dely="2", rate=-1)
def test_a_setting_that_is_none(smsc):
    pass

@pytest.mark.smsc("ids-hex-dek")
def test_a_scenario_that_is_none(smsc):
    pass

@pytest.mark.smsc("ids-hex-dec", "straight")
def test_two_scenarios(smsc):
    pass

def test_a_simulator_that_fails(smsc):
    def fail(inside):
        inside._ledger_error = OSError(28, "No space left on device")
        inside._ledger_failed.set()
    smsc.run(fail)
    smsc.wait_until(lambda: not smsc.running)
"""


def test_what_a_failed_test_shows(pytester: pytest.Pytester) -> None:
    result = run(pytester, FAILING)
    result.assert_outcomes(passed=1, failed=1, errors=4)
    result.stdout.fnmatch_lines(
        [
            "the SMSC cannot be like this:",
            "receipt_dely: unknown setting; did you mean receipt_delay?",
            "the SMSC cannot be like this:",
            "no scenario 'ids-hex-dek'; did you mean ids-hex-dec?",
            "@pytest.mark.smsc takes one scenario, not ('ids-hex-dec', 'straight')",
            "E * simulator.running.NotRunning: the simulator has failed: OSError(28, 'No space left on device')",
            "E *ExpectationFailed: not met: 1 message with the text bye within 0.2 s; 0 matched, 1 came",
            "*- the SMSC -*",
            "listens on 127.0.0.1:*; 1 connections, 1 binds; 1 submits {'ESME_ROK': 1}",
            "0x0 SHOP -> 447700900123 of 'alice': 'hello'",
        ]
    )


def test_the_mark_is_known(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--markers", timeout=300)
    result.stdout.fnmatch_lines(["@pytest.mark.smsc(scenario=None, [*], subprocess=False, [*][*]settings): *"])


def test_a_run_without_an_smsc_pays_nothing(pytester: pytest.Pytester) -> None:
    """Whatever suite runs where smppgw is installed loads the plugin."""
    suite = (
        "import sys\n\n"
        "def test_it():\n"
        "    assert not {'simulator.smsc', 'simulator.testing', 'smppgw', 'trio'} & set(sys.modules)\n"
    )
    run(pytester, suite, "-p", "no:trio", "-p", "no:anyio").assert_outcomes(passed=1)


def test_nothing_but_the_plugin_knows_pytest() -> None:
    code = "import simulator.testing, simulator.cli, sys; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    for file in Path(simulator.__file__).parent.glob("*.py"):
        imported = {
            alias.name
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert "pytest" not in imported or file.name == "pytest_plugin.py"
