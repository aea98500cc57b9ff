"""scripts/demo does the whole path and tells the truth about it; interrupted, it leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PATIENCE_S = 60.0

LINES = """\
to,from,text,lane,expect
+44 7700 900123,,Your code is 481 516,otp,
07700 900124,,Grüße aus Köln,,
+1 202 555 0123,,您的验证码是 123456,,
+447700900125,,{long},bulk,
12,,too short,,recipient_too_short
+447700900126,,,,empty_text
+447700900127,Far too long a sender,Hello,,sender_too_long
"""


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    path = tmp_path / "messages.csv"
    path.write_text(LINES.format(long="three segments of it " * 20), encoding="utf-8")
    return path


@contextlib.contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """scripts/demo without the making of the environment. `folder` is its TMPDIR, by which its children are known."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.demo", *arguments],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            for pid in [process.pid, *children(folder)]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def children(folder: Path) -> dict[int, str]:
    """The simulator and the gateway of the demo in `folder`, by process id, with their command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if f"\0TMPDIR={folder}\0".encode() in b"\0" + (entry / "environ").read_bytes():
                command = (entry / "cmdline").read_bytes().decode().split("\0")[2:3]
                if command and command != ["scripts.demo"]:
                    found[int(entry.name)] = command[0]
    return found


def summary(output: str) -> dict[str, str]:
    return dict(re.findall(r"^ *(\S.*?)  +(\S.*?) *$", output, re.MULTILINE))


def test_every_line_has_its_fate(tmp_path: Path, messages: Path) -> None:
    with demo(tmp_path, "--messages", str(messages)) as process:
        output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, output
    shown = summary(output)
    assert (shown["lines in the file"], shown["accepted"], shown["refused"]) == ("7", "4", "3")
    assert (shown["recipient_too_short"], shown["empty_text"], shown["sender_too_long"]) == ("1", "1", "1")
    assert shown["segments sent"] == "6"
    verdicts = ("delivered", "failed", "expired", "partly_delivered", "rejected")
    assert sum(int(shown.get(verdict, 0)) for verdict in verdicts) == 4
    assert re.fullmatch(r"[\d,]+ / [\d,]+ / [\d,]+ ms", shown["accept to submit_sm, p50 / p95 / p99"])
    assert re.fullmatch(r"[\d,]+ / [\d,]+ / [\d,]+ ms", shown["accept to verdict, p50 / p95 / p99"])
    assert [path.name for path in tmp_path.iterdir()] == ["messages.csv"], "the folder is removed"
    assert not children(tmp_path)


def test_what_does_not_add_up_is_told(tmp_path: Path, messages: Path) -> None:
    messages.write_text(messages.read_text().replace("recipient_too_short", "recipient_letters"))
    with demo(tmp_path, "--messages", str(messages)) as process:
        output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "NOT RIGHT: line 6: expected recipient_letters, got recipient_too_short" in output
    assert not children(tmp_path)


def test_a_file_of_no_use(tmp_path: Path) -> None:
    for path, says in ((tmp_path / "none.csv", "No such file"), (ROOT / "LICENSE", "needs a header")):
        with demo(tmp_path, "--messages", str(path)) as process:
            output, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 1
        assert says in output
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("after", [1, 2])
def test_interrupted_twice_it_leaves_nothing_behind(tmp_path: Path, after: int) -> None:
    """Once the simulator runs, or both do; the second Ctrl-C comes while they are being stopped."""
    with demo(tmp_path) as process:
        until = time.monotonic() + PATIENCE_S
        while len(children(tmp_path)) < after:
            assert time.monotonic() < until and process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE_S)
        left = children(tmp_path)
    assert not left
    assert process.returncode == 130, output
    assert output.endswith("interrupted; everything is stopped\n")
    assert not list(tmp_path.iterdir())


def test_kept_running_it_says_how_to_go_on(tmp_path: Path, messages: Path) -> None:
    with demo(tmp_path, "--keep", "--messages", str(messages)) as process:
        output, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, output
        assert sorted(children(tmp_path).values()) == ["simulator", "smppgw"]
        commands = [line.strip() for line in output.splitlines() if line.startswith("  ") and "smppgw " in line]
        assert len(commands) == 3
        environment = dict(re.findall(r"(SMPPGW_\w+)=(\S+)", output))
        for command in commands:
            words = f"{sys.executable} -m smppgw {command.partition('smppgw ')[2]}"
            tried = subprocess.run(
                words, shell=True, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True
            )
            assert tried.returncode == 0, (command, tried.stderr)
        (stop,) = re.findall(r"^Stop them with: (kill [\d ]+)$", output, re.MULTILINE)
        subprocess.run(stop, shell=True, check=True)
        until = time.monotonic() + PATIENCE_S
        while children(tmp_path):
            assert time.monotonic() < until
            time.sleep(0.05)
