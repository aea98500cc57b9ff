"""Every metric and every log event, in one table each, and how the log is written.

Owns names, help texts, the two log formats and the masking of numbers. Refuses to know what the rest of the program
does: values come in as plain numbers and strings. No message text and no whole telephone number is ever logged.
"""

from __future__ import annotations

import collections
import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple, TextIO

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

# ---------------------------------------------------------------------------------------------------------------- #
# Metrics
# ---------------------------------------------------------------------------------------------------------------- #


class MetricKind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class MetricSpec(NamedTuple):
    """One row: name without the `_total` that counters get, help, labels. `sampled`: read when scraped."""

    name: str
    kind: MetricKind
    help: str
    labels: tuple[str, ...] = ()
    sampled: bool = False
    buckets: tuple[float, ...] = ()


_C, _G, _H = MetricKind.COUNTER, MetricKind.GAUGE, MetricKind.HISTOGRAM
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0)

METRICS: tuple[MetricSpec, ...] = (
    MetricSpec("smppgw_build_info", _G, "1, under the version that runs.", ("version",)),
    MetricSpec("smppgw_http_requests", _C, "HTTP requests answered.", ("method", "route", "status")),
    MetricSpec("smppgw_http_request_seconds", _H, "Time to answer a request.", ("method", "route"), buckets=_SECONDS),
    MetricSpec("smppgw_http_batch_messages", _H, "Messages in one POST /v1/messages.", buckets=_SIZES),
    MetricSpec("smppgw_messages_accepted", _C, "Messages stored.", ("account", "lane")),
    MetricSpec("smppgw_messages_repeated", _C, "Messages known by their idempotency key.", ("account",)),
    MetricSpec("smppgw_messages_refused", _C, "Messages refused at the API.", ("account", "code")),
    MetricSpec("smppgw_store_hop_seconds", _H, "From handing work to the store to its commit.", buckets=_SECONDS),
    MetricSpec("smppgw_store_transaction_seconds", _H, "One transaction of the store.", buckets=_SECONDS),
    MetricSpec("smppgw_store_transaction_calls", _H, "Callers served by one transaction.", buckets=_SIZES),
    MetricSpec("smppgw_store_errors", _C, "Transactions that failed.", ("kind",)),
    MetricSpec("smppgw_bind_answer_seconds", _H, "From submit_sm to its response.", ("carrier",), buckets=_SECONDS),
    MetricSpec("smppgw_bind_commit_seconds", _H, "A bind's transaction.", ("carrier",), buckets=_SECONDS),
    MetricSpec("smppgw_outcomes_stale", _C, "Answers to a submit_sm settled otherwise before.", ("carrier",)),
    MetricSpec("smppgw_segments_rerouted", _C, "Segments refused here that another carrier takes.", ("carrier",)),
    MetricSpec("smppgw_receipts_parked", _C, "Receipts that matched no segment when they came.", ("carrier",)),
    MetricSpec("smppgw_receipt_flags", _C, "Receipts of which something was odd.", ("carrier", "flag")),
    MetricSpec("smppgw_inbound_redelivered", _C, "Inbound texts that came again, kept once.", ("carrier",)),
    MetricSpec("smppgw_quarantined_pdus", _C, "Bad PDUs kept for people to look at.", ("carrier",)),
    MetricSpec("smppgw_queued_segments", _G, "Segments waiting to be sent.", ("carrier", "lane"), sampled=True),
    MetricSpec("smppgw_in_flight_segments", _G, "Segments sent, not answered.", ("carrier",), sampled=True),
    MetricSpec("smppgw_in_doubt_segments", _G, "Segments of unknown outcome.", ("carrier",), sampled=True),
    MetricSpec("smppgw_sent_segments", _G, "Segments waiting for their receipt.", ("carrier",), sampled=True),
    MetricSpec("smppgw_parked_receipts", _G, "Receipts that matched no segment so far.", sampled=True),
    MetricSpec("smppgw_oldest_parked_seconds", _G, "Age of the oldest receipt without segment.", sampled=True),
    MetricSpec(
        "smppgw_ids_matched", _C, "Receipts whose id fits what is known.", ("carrier", "relation"), sampled=True
    ),
    MetricSpec(
        "smppgw_ids_receipts", _C, "Receipts since that is known of ids.", ("carrier", "relation"), sampled=True
    ),
    MetricSpec("smppgw_oldest_queued_seconds", _G, "How long the oldest queued segment has been due.", sampled=True),
    MetricSpec("smppgw_bind_up", _G, "1 while the bind is bound.", ("carrier", "bind"), sampled=True),
    MetricSpec(
        "smppgw_bind_alarm", _G, "1 while an operator should look.", ("carrier", "bind", "reason"), sampled=True
    ),
    MetricSpec("smppgw_bind_window", _G, "Most unanswered submit_sm.", ("carrier", "bind"), sampled=True),
    MetricSpec("smppgw_bind_in_window", _G, "Unanswered submit_sm now.", ("carrier", "bind"), sampled=True),
    MetricSpec(
        "smppgw_bind_limit", _G, "1 for what limits the bind now.", ("carrier", "bind", "limit"), sampled=True
    ),
    MetricSpec("smppgw_bind_overdue", _G, "submit_sm unanswered for too long.", ("carrier", "bind"), sampled=True),
    MetricSpec("smppgw_bind_unrecorded", _G, "PDUs waiting for the store.", ("carrier", "bind"), sampled=True),
    MetricSpec("smppgw_bind_submitted", _C, "submit_sm written.", ("carrier", "bind"), sampled=True),
    MetricSpec("smppgw_bind_accepted", _C, "submit_sm the SMSC took.", ("carrier", "bind"), sampled=True),
    MetricSpec("smppgw_bind_refused", _C, "submit_sm the SMSC refused.", ("carrier", "bind"), sampled=True),
    MetricSpec("smppgw_bind_throttled", _C, "submit_sm refused for speed.", ("carrier", "bind"), sampled=True),
    MetricSpec("smppgw_bind_receipts", _C, "Receipts received.", ("carrier", "bind"), sampled=True),
    MetricSpec("smppgw_bind_inbound", _C, "Inbound texts received.", ("carrier", "bind"), sampled=True),
    MetricSpec("smppgw_bind_reconnects", _C, "Connects after the first.", ("carrier", "bind"), sampled=True),
    MetricSpec("smppgw_bind_deviations", _C, "Tolerated deviations.", ("carrier", "bind", "deviation"), sampled=True),
)

_BY_NAME = {spec.name: spec for spec in METRICS}


def program_version() -> str:
    """The version that is installed, "0" when it runs from a bare source tree."""
    try:
        return version("smppgw")
    except PackageNotFoundError:
        return "0"


class Sample(NamedTuple):
    """The value of one `sampled` metric now; label values in the order of its row."""

    name: str
    labels: tuple[str, ...]
    value: float


#: Without it, prometheus_client adds a `_created` gauge beside each counter. (The function has no annotations.)
_drop_created_series: Callable[[], None] = disable_created_metrics


class Metrics:
    """The metrics of one process, on a registry of their own. Attributes are the live rows of METRICS."""

    def __init__(self) -> None:
        _drop_created_series()
        self.registry = CollectorRegistry()
        if sys.platform.startswith("linux"):
            ProcessCollector(registry=self.registry)
        build = _BY_NAME["smppgw_build_info"]
        Gauge(build.name, build.help, build.labels, registry=self.registry).labels(program_version()).set(1)
        self.http_requests = self._counter("smppgw_http_requests")
        self.http_request_seconds = self._histogram("smppgw_http_request_seconds")
        self.http_batch_messages = self._histogram("smppgw_http_batch_messages")
        self.messages_accepted = self._counter("smppgw_messages_accepted")
        self.messages_repeated = self._counter("smppgw_messages_repeated")
        self.messages_refused = self._counter("smppgw_messages_refused")
        self.bind_answer_seconds = self._histogram("smppgw_bind_answer_seconds")
        self.bind_commit_seconds = self._histogram("smppgw_bind_commit_seconds")
        self.outcomes_stale = self._counter("smppgw_outcomes_stale")
        self.receipts_parked = self._counter("smppgw_receipts_parked")
        self.segments_rerouted = self._counter("smppgw_segments_rerouted")
        self.receipt_flags = self._counter("smppgw_receipt_flags")
        self.inbound_redelivered = self._counter("smppgw_inbound_redelivered")
        self.quarantined_pdus = self._counter("smppgw_quarantined_pdus")
        self.store_hop_seconds = self._histogram("smppgw_store_hop_seconds")
        self.store_transaction_seconds = self._histogram("smppgw_store_transaction_seconds")
        self.store_transaction_calls = self._histogram("smppgw_store_transaction_calls")
        self.store_errors = self._counter("smppgw_store_errors")

    def _counter(self, name: str) -> Counter:
        spec = _BY_NAME[name]
        return Counter(name, spec.help, spec.labels, registry=self.registry)

    def _histogram(self, name: str) -> Histogram:
        spec = _BY_NAME[name]
        return Histogram(name, spec.help, spec.labels, registry=self.registry, buckets=spec.buckets)

    def exposition(self, samples: Iterable[Sample] = ()) -> bytes:
        """Everything in the text format of Prometheus, the `sampled` metrics from `samples`."""
        scraped = CollectorRegistry()
        scraped.register(_Samples(samples))
        return generate_latest(self.registry) + generate_latest(scraped)


@dataclass(slots=True)
class Recorded:
    """What became of the answers, deliveries and bad PDUs of one commit of a bind."""

    stale: int = 0  # answers to claims that were settled otherwise before
    rerouted: int = 0  # segments that went to another carrier
    parked: int = 0  # receipts that match no segment so far
    #: Oddities of those that do, by name of ReceiptFlag.
    flags: collections.Counter[str] = field(default_factory=collections.Counter)
    redelivered: int = 0  # inbound texts that came again
    quarantined: int = 0  # bad PDUs that were kept


class BindMetrics:
    """What the binds tell their observer, as metrics (fits smppgw.binds.status.Observer)."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def answered(self, carrier: str, bind: str, elapsed_s: Sequence[float]) -> None:
        observe = self._metrics.bind_answer_seconds.labels(carrier).observe
        for seconds in elapsed_s:
            observe(seconds)

    def committed(self, carrier: str, bind: str, elapsed_s: float, items: int) -> None:
        self._metrics.bind_commit_seconds.labels(carrier).observe(elapsed_s)

    def recorded(self, carrier: str, bind: str, what: Recorded) -> None:
        metrics = self._metrics
        metrics.outcomes_stale.labels(carrier).inc(what.stale)
        metrics.receipts_parked.labels(carrier).inc(what.parked)
        if what.rerouted:
            metrics.segments_rerouted.labels(carrier).inc(what.rerouted)
        for flag, count in what.flags.items():
            metrics.receipt_flags.labels(carrier, flag).inc(count)
        if what.redelivered:
            metrics.inbound_redelivered.labels(carrier).inc(what.redelivered)
        if what.quarantined:
            metrics.quarantined_pdus.labels(carrier).inc(what.quarantined)

    def state_changed(self, carrier: str, bind: str, state: object) -> None:
        """States are sampled when scraped."""


class StoreMetrics:
    """What the store tells its observer, as metrics (fits smppgw.queue.sqlite.StoreObserver)."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def transaction(self, elapsed_s: float, hop_s: float, calls: int) -> None:
        self._metrics.store_transaction_seconds.observe(elapsed_s)
        self._metrics.store_hop_seconds.observe(hop_s)
        self._metrics.store_transaction_calls.observe(calls)

    def failed(self, error: Exception) -> None:
        self._metrics.store_errors.labels(type(error).__name__).inc()


class _Samples(Collector):
    def __init__(self, samples: Iterable[Sample]) -> None:
        self._families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for name, labels, value in samples:
            family = self._families.get(name)
            if family is None:
                family = self._families[name] = _family(_BY_NAME[name])
            family.add_metric(labels, value)

    def collect(self) -> Iterable[Metric]:
        return self._families.values()


def _family(spec: MetricSpec) -> CounterMetricFamily | GaugeMetricFamily:
    make = CounterMetricFamily if spec.kind is MetricKind.COUNTER else GaugeMetricFamily
    return make(spec.name, spec.help, labels=spec.labels)


# ---------------------------------------------------------------------------------------------------------------- #
# Log events
# ---------------------------------------------------------------------------------------------------------------- #

#: Event name -> what happened. Fields follow as key=value.
EVENTS: dict[str, str] = {
    "log": "a line from a library, in its own words",
    "gateway_started": "the daemon accepts requests",
    "gateway_signal": "SIGTERM or SIGINT came; a second one stops without waiting",
    "gateway_stopping": "no new requests are taken, windows empty",
    "gateway_stopped": "everything is closed",
    "gateway_failed": "the daemon stops because of an error",
    "config_warning": "a setting works but is probably not meant",
    "http_listening": "the HTTP API listens",
    "http_stopping": "the HTTP API takes no new connections",
    "http_failed": "a request ended in an unexpected error",
    "request_refused": "a whole request was refused",
    "store_refused": "the store refused a request for good",
    "bind_connecting": "a connection to the SMSC is being opened",
    "bind_up": "the SMSC accepted the bind",
    "bind_down": "the session ended; the pause until the next attempt is named",
    "bind_refused": "the SMSC refused the bind; it is tried again, slowly",
    "bind_throttled": "ESME_RTHROTTLED: the bind pauses",
    "bind_queues_full": "ESME_RMSGQFUL for several recipients: the bind pauses",
    "bind_window_overdue": "no submit_sm of a whole window was answered: soon the bind is opened anew",
    "bind_draining": "stopping: these answers are still waited for",
    "bind_stopped": "the bind is closed for good",
    "bind_deliveries_refused": "more deliver_sm wait for their commit than allowed: ESME_RX_T_APPN",
    "bind_store_unavailable": "the store cannot record what the bind received; it is kept and tried again",
    "bind_store_available": "the store records again",
    "bind_outcomes_stale": "answers came for submit_sms that were settled otherwise before",
    "bind_unrecordable": "the store refused one item for good; it was set aside",
    "bind_unreachable": "an endpoint of the SMSC cannot be reached; the next one is tried at once",
    "bind_alarm": "somebody should look at this bind or carrier; `alarm` says why",
    "bind_alarm_cleared": "the reason of an alarm is gone",
    "outbind_listening": "SMSCs may connect to this port and ask by outbind to be bound to",
    "outbind_refused": "a connection to the outbind port was closed; nothing of it was used",
    "bind_bad_pdu": "a PDU could not be read, and `left_out` before it within the last minute; see the quarantine",
    "bind_text_like_receipt": "inbound texts look like receipts: see receipts.sniff and the profile no-esm-class",
    "bind_alert_notification": "alert_notification: the SMSC says that a phone can be reached again",
    "bind_errand_failed": "a query_sm or cancel_sm cannot be sent",
    "bind_unsendable": "a segment cannot be put into a submit_sm; it is rejected",
    "store_opened": "the store is open",
    "store_recovered": "segments an earlier process left in flight are in doubt now",
    "store_unavailable": "the store cannot write: full, read-only or failing",
    "asyncio_failed": "asyncio met an error that no task was waiting for; it goes on",
    "sweep_failed": "looking at deadlines failed; it is tried again",
    "store_available": "the store writes again",
}


def log(logger: logging.Logger, level: int, event: str, /, **fields: object) -> None:
    """Writes one event. `event` is a row of EVENTS; fields are shown in the order given."""
    if logger.isEnabledFor(level):
        logger.log(level, event, extra={"event": event, "fields": fields}, stacklevel=2)


def set_up_logging(level: str = "info", format: str = "text", stream: TextIO | None = None) -> None:
    """Sends the log of the whole process to `stream` (default: standard error), replacing what was set up before."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for noisy in ("httpx", "httpcore", "asyncio", "aiosqlite"):  # a line per request or statement, with contents
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)


def _event_and_fields(record: logging.LogRecord) -> tuple[str, Mapping[str, object]]:
    event = getattr(record, "event", None)
    if event is None:
        return "log", {"logger": record.name, "text": record.getMessage()}
    return str(event), getattr(record, "fields", {})


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class TextFormatter(logging.Formatter):
    """`2026-01-02T03:04:05.678Z info bind_up bind=demo/1`. A traceback follows on indented lines."""

    def format(self, record: logging.LogRecord) -> str:
        event, fields = _event_and_fields(record)
        words = [_time(record), record.levelname.lower(), event]
        words += [f"{name}={_word(value)}" for name, value in fields.items()]
        line = " ".join(words)
        if record.exc_info:
            line += "\n    " + self.formatException(record.exc_info).replace("\n", "\n    ")
        return line


class JsonFormatter(logging.Formatter):
    """One object a line: time, level, event, then the fields; `traceback` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        event, fields = _event_and_fields(record)
        line = {"time": _time(record), "level": record.levelname.lower(), "event": event, **fields}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


_PLAIN = re.compile(r"[^\s\"=\x00-\x1f\x7f-\x9f\ud800-\udfff]+")


def _word(value: object) -> str:
    """A value as one word: quoted, with escapes, when it has spaces, quotes or control characters."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)


# ---------------------------------------------------------------------------------------------------------------- #
# Masking
# ---------------------------------------------------------------------------------------------------------------- #

_TWO_DIGIT_RANGES = ((20, 20), (27, 27), (30, 34), (36, 36), (39, 41), (43, 49), (51, 58), (60, 66))
_TWO_DIGIT_CODES = frozenset(
    str(code)
    for first, last in (*_TWO_DIGIT_RANGES, (81, 82), (84, 84), (86, 86), (90, 95), (98, 98))
    for code in range(first, last + 1)
)
_SHOWN_AT_END = 2


def mask(number: str) -> str:
    """A telephone number with only its country code and last two digits: +44********23.

    What is not a number (an alphanumeric sender) comes back as it is.
    """
    plus, digits = ("+", number[1:]) if number.startswith("+") else ("", number)
    if not digits.isascii() or not digits.isdigit():
        return number
    shown = _country_code_digits(digits)
    hidden = len(digits) - shown - _SHOWN_AT_END
    if hidden < _SHOWN_AT_END:  # a short code, or too short to be one: nothing but its end
        return plus + "*" * max(len(digits) - _SHOWN_AT_END, 1) + digits[max(len(digits) - _SHOWN_AT_END, 1) :]
    return plus + digits[:shown] + "*" * hidden + digits[-_SHOWN_AT_END:]


def _country_code_digits(digits: str) -> int:
    """Length of the country code (ITU-T E.164): 1 and 7 have one digit, the listed ones two, all others three."""
    if digits[:1] in {"1", "7"}:
        return 1
    return 2 if digits[:2] in _TWO_DIGIT_CODES else 3


__all__ = [
    "EVENTS",
    "METRICS",
    "BindMetrics",
    "JsonFormatter",
    "MetricKind",
    "MetricSpec",
    "Metrics",
    "Recorded",
    "Sample",
    "StoreMetrics",
    "TextFormatter",
    "log",
    "mask",
    "program_version",
    "set_up_logging",
]
