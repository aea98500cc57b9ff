"""What Prometheus reads."""

from __future__ import annotations

import re

from prometheus_client.parser import text_string_to_metric_families

from simulator.metrics import exposition, metrics
from smppgw.smpp import DeliverSm

from .esme import bound


async def test_the_counts_are_those_of_the_summary(autojump_clock: object) -> None:
    async with bound(rate=1.0, burst=1.0) as (smsc, esme):
        await esme.submit(registered_delivery=1)
        await esme.submit()
        await esme.acknowledge(await esme.expect(DeliverSm))
        await smsc.wait_until(lambda: smsc.stats.receipts.acked == 1)
        values = {
            (sample.name, *(value for _, value in sorted(sample.labels.items(), reverse=True))): sample.value
            for family in text_string_to_metric_families(exposition(smsc).decode())
            for sample in family.samples
        }
    assert values["smsc_connections_total",] == 1
    assert values["smsc_open_binds", "transceiver"] == 1
    assert values["smsc_submits_total",] == 2
    assert values["smsc_submit_answers_total", "ESME_ROK"] == 1
    assert values["smsc_submit_answers_total", "ESME_RTHROTTLED"] == 1
    assert values["smsc_deliveries_total", "receipt", "acked"] == 1
    assert values["smsc_pending_deliveries", "receipt"] == 0
    assert values["smsc_waiting_receipts",] == 0


async def test_each_metric_is_named_once_and_told(autojump_clock: object) -> None:
    async with bound() as (smsc, _):
        found = list(metrics(smsc))
    names = [metric.name for metric in found]
    assert len(set(names)) == len(names) > 15
    assert all(re.fullmatch(r"smsc_[a-z_]+", name) for name in names)
    assert all(metric.documentation for metric in found)


async def test_any_system_id_is_no_label(autojump_clock: object) -> None:
    async with bound() as (smsc, _):
        assert b"alice" not in exposition(smsc)
