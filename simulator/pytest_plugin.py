"""The pytest plugin: the fixtures `smsc` and `smsc_factory`, and the mark that says what the SMSC is like.

    @pytest.mark.smsc("ids-hex-dec", rate=100)
    def test_my_client(smsc):
        my_client.send(smsc.host, smsc.port, "hello")
        smsc.expect(text="hello")

pytest loads it by itself wherever smppgw is installed, so it costs nothing until a test asks for an SMSC: the rest of
the simulator is imported then. It works with any event loop and none, with pytest-xdist, and without pytest-trio.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from simulator.testing import RunningSmsc

_MARK = (
    "smsc(scenario=None, *, subprocess=False, **settings): what the SMSC of the fixture `smsc` is like. "
    "See simulator.testing.start_smsc"
)
_STARTED = pytest.StashKey["list[RunningSmsc]"]()


def pytest_configure(config: pytest.Config) -> None:
    """Makes the mark known."""
    config.addinivalue_line("markers", _MARK)


@pytest.fixture
def smsc_factory(request: pytest.FixtureRequest) -> Iterator[Callable[..., RunningSmsc]]:
    """Starts SMSCs: `smsc_factory("ids-hex-dec", subprocess=False, rate=100)`. Each ends with the test.

    It takes what simulator.testing.start_smsc takes.
    """
    from simulator.testing import start_smsc
    from smppgw.errors import ConfigError

    started = request.node.stash.setdefault(_STARTED, [])

    def start(scenario: Any = None, **settings: Any) -> RunningSmsc:
        try:
            smsc = start_smsc(scenario, **settings)
        except ConfigError as wrong:
            pytest.fail("the SMSC cannot be like this:\n" + "\n".join(wrong.problems), pytrace=False)
        started.append(smsc)
        return smsc

    try:
        yield start
    finally:
        failures = [failure for smsc in started if (failure := _end(smsc)) is not None]
        started.clear()
    if failures:
        raise failures[0]


@pytest.fixture
def smsc(request: pytest.FixtureRequest, smsc_factory: Callable[..., RunningSmsc]) -> RunningSmsc:
    """An SMSC on a free port, as `@pytest.mark.smsc(...)` says: simulator.testing.RunningSmsc."""
    arguments: dict[str, Any] = {}
    for mark in reversed(list(request.node.iter_markers("smsc"))):  # the nearest mark has the last word
        if len(mark.args) > 1:
            pytest.fail(f"@pytest.mark.smsc takes one scenario, not {mark.args}", pytrace=False)
        arguments |= dict(mark.kwargs)
        if mark.args:
            arguments["scenario"] = mark.args[0]
    return smsc_factory(**arguments)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows with a failed test what its SMSC has seen."""
    report = yield
    if report.when == "call" and report.failed:
        for smsc in item.stash.get(_STARTED, []):
            report.sections.append(("the SMSC", _report_of(smsc)))
    return report


def _report_of(smsc: RunningSmsc) -> str:
    try:
        return smsc.report()
    except Exception as failed:
        return f"{smsc!r} cannot tell what it has seen: {failed}"


def _end(smsc: RunningSmsc) -> Exception | None:
    """Stops one; whatever becomes of it, the others are to be stopped too."""
    try:
        smsc.stop()
    except Exception as failed:
        return failed
    return None
