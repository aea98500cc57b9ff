"""Programs of this project as processes of their own: started, waited for by what they print, stopped.

For the demo, the benchmarks and the end-to-end tests. Refuses to know any program's options.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
START_DEADLINE_S = 20.0
STOP_DEADLINE_S = 60.0
_LAST_SHOWN = 2000


class Failed(Exception):
    """A program did not do what it was started for; the text ends with what it printed last."""


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects among the lines of a file to which a program may still be writing."""
    whole, _, _ = path.read_text(encoding="utf-8", errors="replace").rpartition("\n")
    for line in whole.splitlines():
        if line.startswith("{") and line.endswith("}"):
            yield json.loads(line)


class Program:
    """`python -m ARGUMENTS`, running since it was made, with its output in files.

    In a session of its own: Ctrl-C on the terminal is for whoever started it, who then stops it in order.
    """

    def __init__(self, name: str, arguments: Sequence[str], *, out: Path, err: Path | None = None) -> None:
        self.name = name
        self.out = out
        self.err = err or out
        with out.open("wb") as stdout, self.err.open("ab") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def line(self, *, look: Callable[[], None] = lambda: None, **wanted: object) -> dict[str, Any]:
        """The first JSON line, in either file, with the fields `wanted`; waits for it, calling `look` on the way.

        Raises Failed when the program ends before, or START_DEADLINE_S are over.
        """
        deadline = time.monotonic() + START_DEADLINE_S
        while True:
            ended = self._process.poll()
            for path in {self.out, self.err}:
                for found in json_lines(path):
                    if found.items() >= wanted.items():
                        return found
            if ended is not None:
                raise self.failed(f"ended at once with exit code {ended}")
            if time.monotonic() > deadline:
                raise self.failed(f"said nothing of {wanted} within {START_DEADLINE_S:.0f} s")
            look()
            time.sleep(0.02)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """The exit code. A program that has not ended after STOP_DEADLINE_S is killed (-9)."""
        try:
            return self._process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            return self.kill()

    def stop(self) -> int:
        """SIGTERM; the exit code, as `wait` has it."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> int:
        """kill -9; the exit code, which is -9 unless it had ended before."""
        self._process.kill()
        return self._process.wait()

    def failed(self, what: str) -> Failed:
        """An error that says `what` and shows the end of the output."""
        texts = [path.read_text(encoding="utf-8", errors="replace")[-_LAST_SHOWN:] for path in {self.out, self.err}]
        return Failed(f"{self.name} {what}\n" + "".join(texts).rstrip())
