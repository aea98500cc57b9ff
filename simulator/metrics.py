"""The counts as Prometheus reads them, made from stats.py when they are asked for: messages cost nothing more.

Owns names, labels and units of the metrics. System_ids are no labels: whoever binds invents them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from simulator.stats import UNANSWERED
from smppgw.smpp import status_name

if TYPE_CHECKING:
    from simulator.smsc import Smsc
    from simulator.stats import Deliveries, Stats

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(smsc: Smsc) -> bytes:
    """All metrics in the text format of Prometheus."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(smsc))
    return generate_latest(registry)


class _Collector:
    def __init__(self, smsc: Smsc) -> None:
        self._smsc = smsc

    def collect(self) -> Iterable[Metric]:
        return metrics(self._smsc)


def metrics(smsc: Smsc) -> Iterable[Metric]:
    """Each metric once. Labels: `kind`, `status`, `reason`, `command`, `event`."""
    stats = smsc.stats
    yield from _of_connections(stats)
    yield _gauge("smsc_open_connections", "connections that are open", len(smsc.links))
    yield _by(
        "smsc_open_binds", "binds that are open", "kind", Counter(link.kind for link in smsc.binds), GaugeMetricFamily
    )
    yield _count(
        "smsc_submits", "messages asked for: submit_sm, data_sm, destinations of submit_multi", stats.submits
    )
    yield _by(
        "smsc_submit_answers", "submits, by the status of their answer", "status", _named(stats.submits_by_status)
    )
    yield _count("smsc_duplicates", "accepted submits whose destination and octets came before", stats.duplicates)
    yield _count("smsc_withheld_answers", "responses that a stall has kept back", stats.withheld)
    yield _gauge("smsc_max_window", "most submits of one bind without a response at one time", stats.max_window)
    yield _gauge("smsc_waiting_receipts", "messages whose receipt is planned or not acknowledged", smsc.waiting)
    yield from _of_deliveries({"receipt": stats.receipts, "inbound": stats.inbound})
    yield _by("smsc_requests", "requests other than submits and binds", "command", stats.other_requests)
    yield _by("smsc_rejected_pdus", "requests that could not be read", "status", stats.rejected_pdus)
    yield _by("smsc_deviations", "departures from the standard that were tolerated", "kind", stats.deviations)
    yield _count("smsc_session_failures", "sessions ended by an error of the simulator's own", stats.session_failures)


def _of_connections(stats: Stats) -> Iterable[Metric]:
    yield _count("smsc_connections", "connections so far, in both directions", stats.connections)
    yield _count("smsc_outbinds", "connections of our own", stats.outbinds)
    yield _by("smsc_binds", "binds that were accepted", "kind", stats.binds)
    yield _by("smsc_binds_refused", "binds that were refused", "status", _named(stats.binds_refused))
    yield _by("smsc_closed", "sessions that have ended", "reason", stats.closed)


def _of_deliveries(deliveries: Mapping[str, Deliveries]) -> Iterable[Metric]:
    events = CounterMetricFamily(
        "smsc_deliveries", "deliver_sm: receipts and inbound texts, by what happened", labels=("kind", "event")
    )
    pending = GaugeMetricFamily("smsc_pending_deliveries", "made and not acknowledged yet", labels=("kind",))
    for kind, counts in deliveries.items():
        for event, count in counts.summary().items():
            if event == "pending":
                pending.add_metric((kind,), count)
            else:
                events.add_metric((kind, event), count)
    yield events
    yield pending


def _named(by_status: Counter[int]) -> dict[str, int]:
    return {
        status_name(status) if status != UNANSWERED else "unanswered": count for status, count in by_status.items()
    }


def _count(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _by(
    name: str,
    text: str,
    label: str,
    counts: Mapping[str, int],
    family: type[CounterMetricFamily] | type[GaugeMetricFamily] = CounterMetricFamily,
) -> Metric:
    metric = family(name, text, labels=(label,))
    for value, count in counts.items():
        metric.add_metric((value,), count)
    return metric
