"""Where a simulator runs that a test suite has started: in a thread of its own, or in a process of its own.

Owns start, stop, and the asking: every question is a request to the control port's HTTP, so that both answer alike.
The one in a thread is asked without a socket. Refuses to know what is asked; nothing here knows pytest.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import replace
from typing import IO, Any, Protocol, TypeVar
from urllib.parse import parse_qsl, unquote

import trio

from simulator.asking import Control
from simulator.control import BadOrder
from simulator.endpoints import error, handle, serve_control
from simulator.http11 import Refused, Request
from simulator.settings import SimulatorSettings
from simulator.smsc import Smsc

T = TypeVar("T")

START_DEADLINE_S = 30.0
STOP_DEADLINE_S = 30.0
ANSWER_DEADLINE_S = 30.0
_LAST_SHOWN = 4000


class NotRunning(RuntimeError):
    """The simulator does not run: not yet, not any more, or because it failed."""


class Host(Protocol):
    """One place to run a simulator. `start` and `stop` may be called again and again; it keeps its ports."""

    settings: SimulatorSettings

    @property
    def running(self) -> bool: ...

    def start(self) -> None:
        """Returns once it listens. Raises OSError when it cannot, NotRunning with what it said."""

    def stop(self, grace_s: float) -> None:
        """Ends it; binds are asked to unbind where `grace_s` is above 0. Raises NotRunning when it had failed."""

    @property
    def pid(self) -> int:
        """Of the process it runs in. Raises NotRunning."""

    def call(self, function: Callable[[Smsc], Awaitable[T]], within_s: float = ANSWER_DEADLINE_S) -> T:
        """Runs `await function(smsc)` where the simulator runs. Raises RuntimeError where that is another process."""

    @property
    def control(self) -> Control:
        """To ask it with. What is asked raises NotRunning; TimeoutError when no answer comes."""


# ---------------------------------------------------------------------------------------------------------------- #
# In a thread
# ---------------------------------------------------------------------------------------------------------------- #


class ThreadHost:
    """In a thread with a trio loop of its own, so that tests may run in any loop, or in none."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self.settings = settings
        self.control = _ThreadControl(self)
        self.smsc: Smsc | None = None  # the newest
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._lock = threading.Lock()  # of what follows
        self._pending: set[Future[Any]] = set()
        self._token: trio.lowlevel.TrioToken | None = None
        self._nursery: trio.Nursery | None = None
        self._stopping: trio.Event | None = None
        self._grace_s = 0.0

    @property
    def running(self) -> bool:
        return self._token is not None

    def start(self) -> None:
        if self._thread is not None:
            return
        started: Future[None] = Future()
        self._failure = None
        self._thread = threading.Thread(target=self._run, args=(started,), name="smsc", daemon=True)
        self._thread.start()
        try:
            started.result(START_DEADLINE_S)
        except BaseException:
            if started.done():
                self._thread.join()
                self._thread = None
            raise

    def stop(self, grace_s: float) -> None:
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._grace_s = grace_s
        with self._lock:
            if self._token is not None and self._stopping is not None:
                self._token.run_sync_soon(self._stopping.set)
        thread.join(STOP_DEADLINE_S + grace_s)
        if thread.is_alive():
            raise NotRunning(f"the simulator has not ended within {STOP_DEADLINE_S + grace_s:.0f} s")
        if self._failure is not None:
            raise NotRunning(f"the simulator has failed: {self._failure!r}") from self._failure

    def call(self, function: Callable[[Smsc], Awaitable[T]], within_s: float = ANSWER_DEADLINE_S) -> T:
        """Runs `await function(smsc)` in the simulator's thread. Raises what it raises, NotRunning, TimeoutError."""
        if self._thread is threading.current_thread():
            raise RuntimeError("called in the simulator's own thread, which would wait for itself")
        future: Future[T] = Future()
        with self._lock:
            if self._token is None:
                raise NotRunning(self.why_not())
            self._pending.add(future)
            self._token.run_sync_soon(self._spawn, future, function)
        try:
            return future.result(within_s)
        except TimeoutError:
            if future.done() and not future.cancelled():
                raise  # it is the function's own
            raise TimeoutError(f"the simulator has not answered within {within_s:g} s") from None
        finally:
            future.cancel()  # whoever asked waits no more
            with self._lock:
                self._pending.discard(future)

    @property
    def pid(self) -> int:
        return os.getpid()

    def why_not(self) -> str:
        """The reason for it not running, for people."""
        if self._failure is not None:
            return f"the simulator has failed: {self._failure!r}"
        return "the simulator does not run: it has been stopped, or not been started"

    def _run(self, started: Future[None]) -> None:
        try:
            trio.run(self._serve, started)
        except BaseException as failed:
            only = _only(failed)
            if started.done():
                self._failure = only
            else:
                started.set_exception(only)
        finally:
            with self._lock:
                self._token = self._nursery = None
                pending, self._pending = self._pending, set()
            for future in pending:
                _settle(future, error=NotRunning(self.why_not()))

    async def _serve(self, started: Future[None]) -> None:
        smsc = Smsc(self.settings)
        self._stopping = stopping = trio.Event()
        async with trio.open_nursery() as nursery:
            self.settings = await _open(nursery, smsc, self.settings)
            self.smsc = smsc
            self._nursery = nursery
            with self._lock:
                self._token = trio.lowlevel.current_trio_token()
            started.set_result(None)
            await stopping.wait()
            with trio.move_on_after(self._grace_s):
                await smsc.stop()
            nursery.cancel_scope.cancel()

    def _spawn(self, future: Future[Any], function: Callable[[Smsc], Awaitable[Any]]) -> None:
        """Begins a call. What ends with the simulator is settled by `_run`, which knows why."""
        nursery = self._nursery
        if nursery is not None and not nursery.cancel_scope.cancel_called:
            nursery.start_soon(self._perform, future, function)

    async def _perform(self, future: Future[Any], function: Callable[[Smsc], Awaitable[Any]]) -> None:
        assert self.smsc is not None
        token = trio.lowlevel.current_trio_token()

        def abandoned(_: Future[Any]) -> None:
            if future.cancelled():
                with suppress(trio.RunFinishedError):
                    token.run_sync_soon(scope.cancel)

        with trio.CancelScope() as scope:
            future.add_done_callback(abandoned)
            try:
                result = await function(self.smsc)
            except Exception as failed:
                _settle(future, error=failed)
            else:
                _settle(future, result)


class _ThreadControl(Control):
    """Asks the one in a thread: the same requests, without a connection."""

    def __init__(self, host: ThreadHost) -> None:
        super().__init__("", 0)
        self._thread_host = host

    def ask(self, method: str, target: str, content: Mapping[str, Any] | None, patience_s: float) -> dict[str, Any]:
        """One request."""
        path, _, query = target.partition("?")
        body = b"" if content is None else json.dumps(content).encode()
        request = Request(method, unquote(path), dict(parse_qsl(query)), {}, body, trio.sleep_forever)

        async def answer(smsc: Smsc) -> Any:
            try:
                found = await handle(smsc, request)
            except Refused as refused:
                found = error(refused.status, refused.text)
            return json.loads(found.body)

        told: dict[str, Any] = self._thread_host.call(answer, patience_s)
        return told


def _settle(future: Future[Any], result: object = None, error: BaseException | None = None) -> None:
    """Sets the outcome, unless there is one or nobody waits for it."""
    with suppress(InvalidStateError):
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)


def _only(failed: BaseException) -> BaseException:
    """The one error that a group holds, or the group."""
    while isinstance(failed, BaseExceptionGroup) and len(failed.exceptions) == 1:
        failed = failed.exceptions[0]
    return failed


# ---------------------------------------------------------------------------------------------------------------- #
# In a process
# ---------------------------------------------------------------------------------------------------------------- #


class ProcessHost:
    """As the command runs it, in a process of its own; that one ends when ours does, however ours ends."""

    def __init__(self, settings: SimulatorSettings) -> None:
        self.settings = settings if settings.control_port is not None else replace(settings, control_port=0)
        self.control = _ProcessControl(self)
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self.last_words = ""  # what it wrote to stderr, once it has ended

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Raises NotRunning."""
        if self._process is None:
            raise NotRunning(self.why_not())
        return self._process.pid

    def start(self) -> None:
        if self._process is not None:
            return
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - _end closes it
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simulator.running"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,  # Ctrl-C is for whoever started us, who stops it in order
        )
        try:
            self._process.stdin.write(pickle.dumps(self.settings))  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
            told = self._first_line()
        except BaseException as failed:
            self._end(self._process.kill)
            if isinstance(failed, BrokenPipeError | ValueError | TypeError):
                raise NotRunning(f"the simulator did not start; it said:\n{self.last_words}") from None
            raise
        self.settings = replace(self.settings, port=told["port"], control_port=told["control_port"])

    def stop(self, grace_s: float) -> None:
        process = self._process
        if process is None:
            return
        failed = process.poll()
        self._end(process.terminate if grace_s > 0 else process.kill)
        if failed is not None:
            raise NotRunning(f"the simulator has ended with exit code {failed}; it said:\n{self.last_words}")

    def call(self, function: Callable[[Smsc], Awaitable[T]], within_s: float = ANSWER_DEADLINE_S) -> T:
        raise RuntimeError("this simulator runs in a process of its own: it takes orders, but no functions of ours")

    def why_not(self) -> str:
        """The reason for it not running, for people."""
        if self._process is not None and (code := self._process.poll()) is not None:
            return f"the simulator has ended with exit code {code}; it said:\n{self._said()}"
        return "the simulator does not run: it has been stopped, or not been started"

    def _first_line(self) -> dict[str, Any]:
        """What it prints once it listens. Raises ValueError or TypeError when it prints
        something else, or nothing."""
        assert self._process is not None and self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], START_DEADLINE_S)
        if not ready:
            raise NotRunning(f"the simulator has not started within {START_DEADLINE_S:.0f} s")
        told = json.loads(self._process.stdout.readline())
        return dict(told)

    def _end(self, how: Callable[[], None]) -> None:
        process, self._process = self._process, None
        assert process is not None and process.stdin is not None and process.stdout is not None
        how()
        try:
            process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()
        self.last_words = self._said()
        assert self._errors is not None
        self._errors.close()

    def _said(self) -> str:
        assert self._errors is not None
        size = self._errors.seek(0, 2)
        self._errors.seek(max(0, size - _LAST_SHOWN))
        return self._errors.read().decode(errors="replace").rstrip()


class _ProcessControl(Control):
    """Asks the one in a process, over its control port."""

    def __init__(self, host: ProcessHost) -> None:
        super().__init__("", 0)
        self._process_host = host

    def ask(self, method: str, target: str, content: Mapping[str, Any] | None, patience_s: float) -> dict[str, Any]:
        """One request."""
        host = self._process_host
        if not host.running or host.settings.control_port is None:
            raise NotRunning(host.why_not())
        try:
            return Control(host.settings.host, host.settings.control_port).ask(method, target, content, patience_s)
        except TimeoutError:
            raise TimeoutError(f"the simulator has not answered within {patience_s:g} s") from None
        except (OSError, BadOrder) as failed:
            if not host.running:
                raise NotRunning(host.why_not()) from None
            raise NotRunning(f"the simulator's control port does not answer: {failed}") from failed


# ---------------------------------------------------------------------------------------------------------------- #
# What runs there
# ---------------------------------------------------------------------------------------------------------------- #


async def _open(nursery: trio.Nursery, smsc: Smsc, settings: SimulatorSettings) -> SimulatorSettings:
    """Starts all of it in `nursery`; the settings with the ports that it took."""
    port: int = await nursery.start(smsc.serve)
    settings = replace(settings, port=port)
    if settings.control_port is None:
        return settings
    control_port: int = await nursery.start(serve_control, smsc, settings.host, settings.control_port)
    return replace(settings, control_port=control_port)


async def _serve_process(settings: SimulatorSettings) -> None:
    """Until SIGTERM, or until whoever started us is gone."""
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            smsc = Smsc(settings)
            settings = await _open(nursery, smsc, settings)
            sys.stdout.write(json.dumps({"port": settings.port, "control_port": settings.control_port}) + "\n")
            sys.stdout.flush()
            nursery.start_soon(_stop_with_stdin, nursery.cancel_scope)
            await anext(signals)
            await smsc.stop()
            nursery.cancel_scope.cancel()


async def _stop_with_stdin(scope: trio.CancelScope) -> None:
    async with trio.lowlevel.FdStream(os.dup(sys.stdin.fileno())) as stream:
        async for _ in stream:
            pass
    scope.cancel()


def _child() -> None:
    """What ProcessHost starts: its settings come by stdin."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    settings = pickle.load(sys.stdin.buffer)  # noqa: S301 - our parent could run any code here anyway
    try:
        trio.run(_serve_process, settings)
    except* OSError as failed:
        sys.exit(f"smppgw-simulator: {_only(failed)}")


if __name__ == "__main__":
    _child()
