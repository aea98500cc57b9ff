"""Names stand in one table, lines have their format, numbers are masked."""

from __future__ import annotations

import ast
import io
import json
import logging
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from smppgw import telemetry
from smppgw.binds import events as bind_events
from smppgw.telemetry import (
    EVENTS,
    METRICS,
    BindMetrics,
    MetricKind,
    Metrics,
    Recorded,
    Sample,
    StoreMetrics,
    log,
    mask,
    set_up_logging,
)

ROOT = Path(__file__).parent.parent


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield io.StringIO()
    logging.captureWarnings(False)
    root.handlers[:] = before
    root.setLevel(level)


# ---------------------------------------------------------------------------------------------------------------- #
# Metrics
# ---------------------------------------------------------------------------------------------------------------- #


def test_names_are_unique_and_ours() -> None:
    names = [spec.name for spec in METRICS]
    assert len(names) == len(set(names))
    assert all(name.startswith("smppgw_") and not name.endswith("_total") for name in names)
    assert all(spec.help.endswith(".") for spec in METRICS)
    assert all((spec.kind is MetricKind.HISTOGRAM) == bool(spec.buckets) for spec in METRICS)


def families(metrics: Metrics, *samples: Sample) -> dict[str, list[tuple[str, dict[str, str], float]]]:
    parsed = text_string_to_metric_families(metrics.exposition(samples).decode())
    return {family.name: [(s.name, s.labels, s.value) for s in family.samples] for family in parsed}


def test_every_live_metric_is_on_the_registry() -> None:
    found = families(Metrics())
    live = {spec.name for spec in METRICS if not spec.sampled}
    assert live <= found.keys()
    assert {name for name in found if name.startswith("smppgw_")} <= live


def test_every_sampled_metric_can_be_shown() -> None:
    sampled = [spec for spec in METRICS if spec.sampled]
    samples = [Sample(spec.name, tuple("x" for _ in spec.labels), 3) for spec in sampled]
    found = families(Metrics(), *samples)
    for spec in sampled:
        suffix = "_total" if spec.kind is MetricKind.COUNTER else ""
        assert found[spec.name] == [(spec.name + suffix, dict.fromkeys(spec.labels, "x"), 3.0)]


def test_samples_of_one_metric_stand_together() -> None:
    found = families(
        Metrics(),
        Sample("smppgw_bind_up", ("a", "a/1"), 1),
        Sample("smppgw_parked_receipts", (), 2),
        Sample("smppgw_bind_up", ("b", "b/1"), 0),
    )
    assert [(labels["bind"], value) for _, labels, value in found["smppgw_bind_up"]] == [("a/1", 1), ("b/1", 0)]


def test_label_values_cannot_break_the_format() -> None:
    found = families(Metrics(), Sample("smppgw_bind_up", ('a"\n\\', "x"), 1))
    assert found["smppgw_bind_up"][0][1]["carrier"] == 'a"\n\\'


def test_observers() -> None:
    metrics = Metrics()
    binds, store = BindMetrics(metrics), StoreMetrics(metrics)
    binds.answered("demo", "demo/1", [0.002, 0.003])
    binds.committed("demo", "demo/1", 0.004, 10)
    binds.recorded("demo", "demo/1", Recorded())
    flags = Counter({"states_disagree": 2, "sniffed": 1})
    told = Recorded(stale=2, rerouted=7, parked=3, flags=flags, redelivered=4, quarantined=5)
    binds.recorded("demo", "demo/1", told)
    binds.recorded("demo", "demo/1", Recorded(flags=Counter(sniffed=6)))
    binds.state_changed("demo", "demo/1", "bound_trx")
    store.transaction(0.001, 0.002, 5)
    store.failed(ValueError("x"))
    found = families(metrics)

    def value(name: str, sample: str) -> float:
        return next(v for n, _, v in found[name] if n == sample)

    assert value("smppgw_bind_answer_seconds", "smppgw_bind_answer_seconds_count") == 2
    assert value("smppgw_bind_commit_seconds", "smppgw_bind_commit_seconds_sum") == pytest.approx(0.004)
    assert value("smppgw_outcomes_stale", "smppgw_outcomes_stale_total") == 2
    assert value("smppgw_segments_rerouted", "smppgw_segments_rerouted_total") == 7
    assert value("smppgw_receipts_parked", "smppgw_receipts_parked_total") == 3
    flagged = {labels["flag"]: v for _, labels, v in found["smppgw_receipt_flags"]}
    assert flagged == {"states_disagree": 2, "sniffed": 7}
    assert value("smppgw_inbound_redelivered", "smppgw_inbound_redelivered_total") == 4
    assert value("smppgw_quarantined_pdus", "smppgw_quarantined_pdus_total") == 5
    assert value("smppgw_store_transaction_seconds", "smppgw_store_transaction_seconds_sum") == pytest.approx(0.001)
    assert value("smppgw_store_hop_seconds", "smppgw_store_hop_seconds_sum") == pytest.approx(0.002)
    assert value("smppgw_store_errors", "smppgw_store_errors_total") == 1


# ---------------------------------------------------------------------------------------------------------------- #
# Events
# ---------------------------------------------------------------------------------------------------------------- #


def logged_names() -> set[str]:
    """Every event name that the code passes to `log` as a literal, and those that the binds name as constants."""
    names = {value for name, value in vars(bind_events).items() if name.startswith(("BIND_", "OUTBIND_"))}
    for path in (ROOT / "smppgw").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and len(node.args) == 3:
                called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                event = node.args[2]
                if called == "log" and isinstance(event, ast.Constant) and isinstance(event.value, str):
                    names.add(event.value)
    return names


def test_every_event_that_is_logged_is_in_the_table_and_the_other_way_round() -> None:
    assert logged_names() | {"log"} == EVENTS.keys()


# ---------------------------------------------------------------------------------------------------------------- #
# Lines
# ---------------------------------------------------------------------------------------------------------------- #


def lines(stream: io.StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def test_text_format(stream: io.StringIO) -> None:
    set_up_logging("info", "text", stream)
    logger = logging.getLogger("smppgw.test")
    log(logger, logging.INFO, "bind_up", bind="demo/1", pause_s=1.23456789, error=None, ok=True, n=3)
    log(logger, logging.WARNING, "bind_down", error='half a "PDU"\n\x1b[31m', empty="", logger="a=b")
    log(logger, logging.DEBUG, "bind_up")
    time, *words = lines(stream)[0].split(" ")
    assert len(time) == len("2026-01-02T03:04:05.678Z") and time.endswith("Z")
    assert words == ["info", "bind_up", "bind=demo/1", "pause_s=1.23457", "error=-", "ok=true", "n=3"]
    assert lines(stream)[1].split(" ", 1)[1] == (
        'warning bind_down error="half a \\"PDU\\"\\n\\u001b[31m" empty="" logger="a=b"'
    )
    assert len(lines(stream)) == 2


def test_json_format(stream: io.StringIO) -> None:
    set_up_logging("debug", "json", stream)
    log(logging.getLogger("smppgw.test"), logging.DEBUG, "bind_up", bind="demo/1", path=Path("x"), text="é\n")
    (line,) = map(json.loads, lines(stream))
    time = line.pop("time")
    assert time.endswith("Z")
    assert line == {"level": "debug", "event": "bind_up", "bind": "demo/1", "path": "x", "text": "é\n"}


@pytest.mark.parametrize("format", ["text", "json"])
def test_errors_bring_their_traceback(stream: io.StringIO, format: str) -> None:
    set_up_logging("info", format, stream)
    try:
        raise ValueError("what went wrong")
    except ValueError:
        logging.getLogger("library").exception("it %s", "failed")
    if format == "json":
        line = json.loads(stream.getvalue())
        assert line["event"] == "log" and line["logger"] == "library" and line["text"] == "it failed"
        assert "ValueError: what went wrong" in line["traceback"]
    else:
        first, *rest = lines(stream)
        assert first.endswith('error log logger=library text="it failed"')
        assert rest and all(line.startswith("    ") for line in rest)
        assert rest[-1] == "    ValueError: what went wrong"


def test_set_up_twice_writes_once_and_warnings_are_logged(stream: io.StringIO) -> None:
    set_up_logging("info", "text", io.StringIO())
    set_up_logging("info", "text", stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(False)
        logging.captureWarnings(True)
        warnings.warn("old thing", DeprecationWarning, stacklevel=1)
    assert len([line for line in lines(stream) if "old thing" in line]) == 1


def test_libraries_that_would_log_contents_are_silent(stream: io.StringIO) -> None:
    set_up_logging("debug", "text", stream)
    logging.getLogger("aiosqlite").debug("INSERT ... 'the text'")
    logging.getLogger("httpx").info("POST /?to=447700900123")
    assert lines(stream) == []


# ---------------------------------------------------------------------------------------------------------------- #
# Masking
# ---------------------------------------------------------------------------------------------------------------- #


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+447700900123", "+44********23"),
        ("447700900123", "44********23"),
        ("12025550123", "1********23"),
        ("353209120000", "353*******00"),
        ("60001", "***01"),
        ("+60001", "+***01"),
        ("17", "*7"),
        ("7", "*"),
        ("", ""),
        ("+", "+"),
        ("Example", "Example"),
        ("４４７７", "４４７７"),
    ],
)
def test_mask(number: str, masked: str) -> None:
    assert mask(number) == masked


def test_country_codes_are_those_of_the_numbering_plan() -> None:
    for code in map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE):
        assert mask(code + "5550000") == code + "*****00"


@given(st.from_regex(r"\+?[0-9]{3,15}", fullmatch=True))
def test_at_most_the_country_code_and_two_digits_are_shown(number: str) -> None:
    masked = mask(number)
    assert len(masked) == len(number)
    assert sum(character.isdigit() for character in masked) <= 5
    assert masked.count("*") >= min(2, len(number.lstrip("+")) - 2)


def test_exports_exist() -> None:
    assert all(hasattr(telemetry, name) for name in telemetry.__all__)
