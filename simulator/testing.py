"""For test suites: an SMSC that a test starts, orders about and asks, from plain code, asyncio or trio.

    with start_smsc("ids-hex-dec", receipt_delay="72h") as smsc:
        client.connect(smsc.host, smsc.port)
        ...
        (message,) = smsc.expect(to="447700900123", text="hello*")
        smsc.advance(days=3)  # the receipt comes now

The methods have the names of the orders and take what those take; `smsc.aio` has the same as coroutines. Owns that
API; where the SMSC runs stands in running.py, the fixtures in pytest_plugin.py. Nothing here knows pytest.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import partial, update_wrapper
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import anyio.to_thread
import sniffio

from simulator.expectations import Verdict
from simulator.quirks import Quirks
from simulator.running import Host, NotRunning, ProcessHost, ThreadHost
from simulator.scenarios import Scenario
from simulator.settings import SimulatorSettings
from simulator.smsc import Smsc
from smppgw.errors import ConfigError

__all__ = [
    "ExpectationFailed",
    "NotRunning",
    "OrderFailed",
    "Record",
    "RunningSmsc",
    "settings_for",
    "start_smsc",
]

P = ParamSpec("P")
T = TypeVar("T")

#: How often a condition of `wait_until` is looked at.
LOOK_S = 0.01
WITHIN_S = 5.0


class Record(dict[str, Any]):
    """An entry as the control port has it, as JSON; its keys are attributes too: `submit.text`."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no {name!r} here; there are: {', '.join(self)}") from None


class OrderFailed(Exception):
    """The simulator refused an order. `code` names the reason where it has a name, such as `no_receiver`."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class ExpectationFailed(AssertionError):
    """What was expected did not come. `matched` did, `instead` came as well; each of the latter with its `why`."""

    def __init__(self, text: str, matched: list[Record], instead: list[Record]) -> None:
        super().__init__(text)
        self.matched = matched
        self.instead = instead


class RunningSmsc:
    """A simulator that runs. Every method may be called from any thread.

    Orders and questions take milliseconds at most; `expect`, `wait_until` and `wait_bound` block until they know, so
    in an event loop, which they would stop, they raise RuntimeError: await those of `aio` there. All raise
    NotRunning once the simulator has ended, TimeoutError when it does not answer.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self.aio = Aio(self)

    # --- where it is and whether it runs ------------------------------------------------------------------------ #

    @property
    def host(self) -> str:
        return self._host.settings.host

    @property
    def port(self) -> int:
        """Where it listens for ESMEs; the same after a `stop` and a `start`."""
        return self._host.settings.port

    @property
    def control_port(self) -> int | None:
        """Where HTTP is spoken; None where none was wished for: the one in a thread needs none."""
        return self._host.settings.control_port

    @property
    def settings(self) -> SimulatorSettings:
        """What it was started with, and the ports it took."""
        return self._host.settings

    @property
    def running(self) -> bool:
        return self._host.running

    def start(self) -> Self:
        """Starts it, again after `stop`: on the same port, with nothing remembered. Raises OSError, NotRunning."""
        self._host.start()
        return self

    def stop(self, grace_s: float = 0.0) -> None:
        """Ends it: every connection is cut, or, with `grace_s`, unbound and given so many seconds to agree.

        Raises NotRunning when it had failed before.
        """
        self._host.stop(grace_s)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await self.aio.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):
            await self.aio.stop()

    # --- orders ------------------------------------------------------------------------------------------------- #

    def order(self, name: str, /, **arguments: object) -> Record:
        """Gives any order of `smppgw-simulator orders`, and returns its answer. Raises OrderFailed.

        Words that Python keeps for itself take a `_` behind them: `from_`. Octets may be bytes.
        """
        named = {key.removesuffix("_"): _jsonable(value) for key, value in arguments.items()}
        return self._done(self._host.control.order(name, named))

    def inject(self, /, from_: str, to: str, text: str | None = None, **options: object) -> Record:
        """Sends an inbound text: `inject("447700900001", "12345", "STOP")`; `options` as the order `inject` has them.

        Raises OrderFailed: `no_receiver` while no receiver or transceiver is bound and no system_id is named.
        """
        return self.order("inject", from_=from_, to=to, **({"text": text} if text is not None else {}), **options)

    def stop_injecting(self) -> Record:
        """Ends the streams of inbound texts that `inject` has begun."""
        return self.order("stop_injecting")

    def cut(self, bind: int | None = None) -> int:
        """Drops the connection of the bind with this number (see `binds`), or every connection. Returns how many."""
        dropped: int = self.order("cut", **_given(bind=bind)).cut
        return dropped

    def unbind(self, bind: int | None = None) -> int:
        """Unbinds one bind, or all, in good order. Returns how many."""
        unbound: int = self.order("unbind", **_given(bind=bind)).unbound
        return unbound

    def set_rate(self, rate: float | None, burst: float | None = None, *, system_id: str | None = None) -> None:
        """Limits each system_id, or this one, to `rate` submits a second, `burst` at once; None: no limit."""
        self.order("rate", rate=rate, burst=burst, **_given(system_id=system_id))

    def refuse_binds(self, status: int | str | None = "ESME_RBINDFAIL") -> None:
        """Answers every bind with this command_status, a name or a number; None: as configured."""
        self.order("refuse_binds", status=status)

    def stall(self, on: bool = True) -> None:
        """Takes submits and answers none; switched off, it answers them."""
        self.order("stall", on=on)

    def hold_receipts(self, on: bool = True) -> None:
        """Keeps receipts back; switched off, they go out."""
        self.order("hold_receipts", on=on)

    def scenario(self, name: str) -> None:
        """From now on another scenario decides, by its name or the path of its file; sessions stay."""
        self.order("scenario", name=name)

    def capture(self, file: Path | str | None) -> None:
        """Writes all octets of all sessions into this pcapng file; None ends that."""
        self.order("capture", file=None if file is None else str(file))

    def outbind(self, /, host: str, port: int, **options: object) -> None:
        """Connects to an ESME that listens there, and asks for a bind. Raises OrderFailed."""
        self.order("outbind", host=host, port=port, **options)

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Lets so much time pass at once: receipts and responses due by then leave now, and tell that time.

        The timers of sessions stay as they are: no bind is lost for silence. Returns the time it is then.
        """
        ahead = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        now_utc_ms: int = self.order("advance", seconds=ahead.total_seconds()).now_utc_ms
        return datetime.fromtimestamp(now_utc_ms / 1000, UTC)

    # --- seeing ------------------------------------------------------------------------------------------------- #

    def summary(self) -> Record:
        """The counts so far."""
        return Record(self._find("summary", {}))

    def binds(self) -> list[Record]:
        """The binds that are open, oldest first."""
        return _records(self._find("binds", {}))

    def submits(self, /, **filters: object) -> list[Record]:
        """Submits as they came, decoded, oldest first; refused ones too. `filters`: those of GET /submits."""
        return _records(self._find("submits", filters))

    def messages(self, /, **filters: object) -> list[Record]:
        """The same, long messages put together. `filters`: those of GET /messages."""
        return _records(self._find("messages", filters))

    # --- waiting ------------------------------------------------------------------------------------------------ #

    def expect(
        self,
        /,
        count: int = 1,
        *,
        to: str | None = None,
        from_: str | None = None,
        text: str | None = None,
        system_id: str | None = None,
        what: str = "message",
        within_s: float = WITHIN_S,
        **further: object,
    ) -> list[Record]:
        """Waits for `count` of `what` and returns them; what came before counts too, as far as it is remembered.

        Addresses, texts and system_ids are given exactly, with `*` and `?`, or as a /regular expression/. `what`:
        message, submit, bind, receipt_acked, inbound_acked ...; `further`: the other arguments of POST /expect.
        Raises ExpectationFailed, an AssertionError that tells what came instead.
        """
        self._forbid_in_loops("expect")
        wanted = {"from": from_, "to": to, "text": text, "system_id": system_id} | further
        body = _given(**wanted) | {"count": count, "what": what, "within_s": within_s}
        verdict = self._done(self._host.control.expect(body), may_be_unmet=True)
        matched, instead = _records(verdict.matched), _records(verdict.instead)
        if not verdict.ok:
            seen = f"\n{self.report()}" if what == "bind" else ""  # which binds were refused, and why
            raise ExpectationFailed(_explained(verdict) + seen, matched, instead)
        return matched

    def wait_until(self, condition: Callable[[], object], within_s: float = WITHIN_S) -> None:
        """Returns once `condition()` is true; it is called in this thread, a hundred times a second.

        Raises ExpectationFailed after `within_s`, with what the simulator has seen.
        """
        self._forbid_in_loops("wait_until")
        deadline = time.monotonic() + within_s
        while not condition():
            self._give_up_after(deadline, within_s)
            time.sleep(LOOK_S)

    def wait_bound(self, count: int = 1, *, system_id: str | None = None, within_s: float = WITHIN_S) -> list[Record]:
        """Waits until so many binds are open, of `system_id` where it is named, and returns them."""
        self._forbid_in_loops("wait_bound")
        return self.expect(count, what="bind", system_id=system_id, within_s=within_s)

    # --- what is inside ------------------------------------------------------------------------------------- #

    def run(self, function: Callable[[Smsc], T]) -> T:
        """`function(smsc)`, called in the simulator's thread with its Smsc: for what no order does.

        Raises RuntimeError for one in a process of its own.
        """

        async def call(smsc: Smsc) -> T:
            return function(smsc)

        return self._host.call(call)

    @property
    def pid(self) -> int:
        """Of the process it runs in."""
        return self._host.pid

    # --- for the eyes ------------------------------------------------------------------------------------------- #

    def report(self, submits: int = 10) -> str:
        """What it has seen, in a few lines: counts, binds, the newest submits. For the report of a failed test."""
        summary = self.summary()
        refused = summary["binds"]["refused"]
        lines = [
            f"listens on {self.host}:{self.port}; {summary['connections']} connections, "
            f"{summary['binds']['accepted']} binds{f', refused: {refused}' if refused else ''}; "
            f"{summary['submits']} submits {summary['by_status'] or ''}".rstrip(),
            f"receipts {summary['receipts']['acked']} of {summary['receipts']['due']} acknowledged, "
            f"inbound {summary['inbound']['acked']} of {summary['inbound']['due']}",
        ]
        lines += [f"bind {bind['bind']} of {bind['system_id']!r}, {bind['kind']}" for bind in self.binds()]
        lines += [
            f"{submit['status']:#x} {submit['source']} -> {submit['destination']} of {submit['system_id']!r}: "
            f"{submit['text']!r}"
            for submit in self.submits(limit=submits)
        ]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<simulator on {self.host}:{self.port}{'' if self.running else ', not running'}>"

    # --- inside ------------------------------------------------------------------------------------------------- #

    def _find(self, what: str, filters: Mapping[str, object]) -> Any:
        named = {key.removesuffix("_"): value for key, value in filters.items()}
        return self._done(self._host.control.find(what, named))[what]

    def _done(self, answer: dict[str, Any], *, may_be_unmet: bool = False) -> Record:
        if answer["ok"] or (may_be_unmet and "matched" in answer):
            return Record(answer)
        code, text = answer.get("code", ""), answer.get("error", str(answer))
        if code == "no_receiver":
            bound = ", ".join(f"{bind.system_id} ({bind.kind})" for bind in self.binds())
            text = f"{text}. Bound now: {bound or 'nobody; wait for the client: smsc.wait_bound()'}"
        raise OrderFailed(text, code)

    def _give_up_after(self, deadline: float, within_s: float) -> None:
        if time.monotonic() >= deadline:
            raise ExpectationFailed(f"the condition did not hold within {within_s:g} s\n{self.report()}", [], [])

    @staticmethod
    def _forbid_in_loops(name: str) -> None:
        try:
            library = sniffio.current_async_library()
        except sniffio.AsyncLibraryNotFoundError:
            return
        raise RuntimeError(
            f"{name}() would stop {library}'s event loop while it waits; write: await smsc.aio.{name}()"
        )


def _awaitable(
    method: Callable[Concatenate[RunningSmsc, P], T],
) -> Callable[Concatenate[Aio, P], Awaitable[T]]:
    """`method` in a worker thread, so that the event loop goes on.

    A caller that is cancelled goes on at once; the thread ends when the method does, or with the simulator.
    """

    async def call(self: Aio, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await anyio.to_thread.run_sync(partial(method, self.smsc, *args, **kwargs), abandon_on_cancel=True)

    return update_wrapper(call, method)


class Aio:
    """The methods of RunningSmsc as coroutines, for trio and asyncio: `await smsc.aio.expect(...)`."""

    def __init__(self, smsc: RunningSmsc) -> None:
        self.smsc = smsc

    start = _awaitable(RunningSmsc.start)
    stop = _awaitable(RunningSmsc.stop)
    order = _awaitable(RunningSmsc.order)
    inject = _awaitable(RunningSmsc.inject)
    stop_injecting = _awaitable(RunningSmsc.stop_injecting)
    cut = _awaitable(RunningSmsc.cut)
    unbind = _awaitable(RunningSmsc.unbind)
    set_rate = _awaitable(RunningSmsc.set_rate)
    refuse_binds = _awaitable(RunningSmsc.refuse_binds)
    stall = _awaitable(RunningSmsc.stall)
    hold_receipts = _awaitable(RunningSmsc.hold_receipts)
    scenario = _awaitable(RunningSmsc.scenario)
    capture = _awaitable(RunningSmsc.capture)
    outbind = _awaitable(RunningSmsc.outbind)
    advance = _awaitable(RunningSmsc.advance)
    summary = _awaitable(RunningSmsc.summary)
    binds = _awaitable(RunningSmsc.binds)
    submits = _awaitable(RunningSmsc.submits)
    messages = _awaitable(RunningSmsc.messages)
    expect = _awaitable(RunningSmsc.expect)
    wait_bound = _awaitable(RunningSmsc.wait_bound)
    report = _awaitable(RunningSmsc.report)

    async def wait_until(self, condition: Callable[[], object], within_s: float = WITHIN_S) -> None:
        """The same, with the condition called in the event loop: it may look at what the test holds there."""
        deadline = time.monotonic() + within_s
        while not condition():
            self.smsc._give_up_after(deadline, within_s)
            await anyio.sleep(LOOK_S)


# ---------------------------------------------------------------------------------------------------------------- #
# Starting one
# ---------------------------------------------------------------------------------------------------------------- #


def start_smsc(scenario: str | Path | None = None, *, subprocess: bool = False, **settings: Any) -> RunningSmsc:
    """An SMSC on a free port, in a thread of this process or, with `subprocess`, in one of its own. Use it by `with`.

    `scenario` and `settings` are those of `settings_for`. Raises ConfigError, with one line for each mistake; OSError
    when a port or a file cannot be had; NotRunning with what the process said when it ends at once.
    """
    made = settings_for(scenario, **settings)
    return RunningSmsc(ProcessHost(made) if subprocess else ThreadHost(made)).start()


def settings_for(scenario: str | Path | None = None, **settings: Any) -> SimulatorSettings:
    """The settings of a scenario, by its name or the path of its file, with others in their place.

    Each is a setting of the simulator or a table of scenario files, written as there (`receipt_delay="20ms:2s"`,
    `ids={"response": "{n:x}"}`, `accounts={"alice": "secret"}`), or as the object that SimulatorSettings wants.
    Raises ConfigError, with one line for each mistake.
    """
    problems = [f"{name}: unknown setting{_near(name)}" for name in settings if name not in _KNOWN]
    if problems:
        raise ConfigError(problems)
    tables: dict[str, Any] = {}
    objects: dict[str, Any] = {}
    for name, value in settings.items():
        if name in _OURS:
            objects[name] = _OURS[name](value)
        elif not _is_notation(value):
            objects[name] = value
        elif name == "accounts" and isinstance(value, Mapping):
            tables[name] = [{"system_id": system_id, "password": password} for system_id, password in value.items()]
        elif name in _TABLES:
            tables[name] = _listed(value)
        else:
            tables.setdefault("settings", {})[name] = _listed(value)
    base = Scenario.changed(str(scenario) if scenario is not None else None, tables).settings
    return replace(base, **objects, pinned=base.pinned | (settings.keys() & _SETTINGS))


def _near(name: str) -> str:
    found = get_close_matches(name, _KNOWN, n=1)
    return f"; did you mean {found[0]}?" if found else f"; known: {', '.join(sorted(_KNOWN))}"


def _is_notation(value: object) -> bool:
    """Whether it could stand in a TOML file."""
    if isinstance(value, Mapping):
        return all(type(key) is str and _is_notation(one) for key, one in value.items())
    if isinstance(value, list | tuple):
        return type(value) in (list, tuple) and all(map(_is_notation, value))
    return type(value) in (str, int, float, bool)


def _listed(value: Any) -> Any:
    """Tuples as the lists that a TOML file has."""
    if isinstance(value, Mapping):
        return {key: _listed(one) for key, one in value.items()}
    return [_listed(one) for one in value] if isinstance(value, list | tuple) else value


#: What scenario files leave to whoever runs them.
_OURS: Mapping[str, Callable[[Any], Any]] = {
    "host": str,
    "port": int,
    "control_port": lambda port: port,
    "ledger": Path,
    "capture": Path,
}
_SETTINGS = frozenset(field.name for field in fields(SimulatorSettings))
#: What stands beside [settings] in a scenario file.
_TABLES = frozenset({"accounts", "rules", *(field.name for field in fields(Quirks))})
_KNOWN = _SETTINGS | _TABLES


# ---------------------------------------------------------------------------------------------------------------- #
# Reading and writing JSON
# ---------------------------------------------------------------------------------------------------------------- #


def _records(found: list[dict[str, Any]]) -> list[Record]:
    return [Record(one) for one in found]


def _given(**values: object) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _jsonable(value: object) -> object:
    if isinstance(value, bytes | bytearray):
        return value.hex()
    return str(value) if isinstance(value, Path) else value


def _explained(verdict: Record) -> str:
    """The verdict in words."""
    names = [field.name for field in fields(Verdict) if field.name != "met"]
    return Verdict(met=False, **{name: verdict[name] for name in names}).explained()
