"""/metrics: live metrics by route, samples of the store and the binds."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from smppgw.api.measuring import samples
from smppgw.binds.status import BindState
from smppgw.queue.model import Depths, IdRelationView, Lane
from smppgw.telemetry import METRICS
from tests.api.gateway import NOW_UTC_MS, Gateway, bind_status


async def scraped(gateway: Gateway, *requests: tuple[str, str]) -> dict[tuple[str, ...], float]:
    """Sample values by name and sorted label values, after some requests."""
    async with gateway.client() as client:
        for method, path in requests:
            await client.request(method, path)
        response = await client.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = text_string_to_metric_families(response.text)
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


async def test_requests_are_counted_by_route_not_by_path() -> None:
    found = await scraped(
        Gateway(),
        ("GET", "/v1/messages/00000000000"),
        ("GET", "/v1/messages/00000000001"),
        ("GET", "/nothing/here"),
        ("BREW", "/healthz"),
    )
    assert found["smppgw_http_requests_total", "GET", "/v1/messages/{id}", "404"] == 2
    assert found["smppgw_http_requests_total", "GET", "other", "404"] == 1
    assert found["smppgw_http_requests_total", "OTHER", "/healthz", "405"] == 1
    assert found["smppgw_http_request_seconds_count", "GET", "/v1/messages/{id}"] == 2


async def test_a_failing_request_is_counted_too() -> None:
    gateway = Gateway(failure=RuntimeError("a bug"))
    async with gateway.client() as client:
        assert (await client.get("/v1/status")).status_code == 500
    gateway.failure = None
    found = await scraped(gateway)
    assert found["smppgw_http_requests_total", "GET", "/v1/status", "500"] == 1


async def test_samples() -> None:
    down = bind_status(
        "french/1", BindState.CONNECTING, deviations={"extra_octets": 4}, overdue=2, unrecorded=3, alarm="credentials"
    )
    ids = [IdRelationView("demo", "hex -> dec", False, 411, 412), IdRelationView("french", "", False, 0, 3)]
    found = await scraped(Gateway(bind_states=[bind_status("demo/1"), down], ids_known=ids))
    assert found["smppgw_queued_segments", "demo", "otp"] == 3
    assert found["smppgw_in_flight_segments", "demo"] == 5
    assert found["smppgw_sent_segments", "demo"] == 6
    assert found["smppgw_parked_receipts",] == 2
    assert found["smppgw_oldest_queued_seconds",] == 1.5
    assert found["smppgw_oldest_parked_seconds",] == 60
    assert found["smppgw_ids_matched_total", "demo", "hex -> dec"] == 411
    assert found["smppgw_ids_receipts_total", "demo", "hex -> dec"] == 412
    assert found["smppgw_ids_receipts_total", "french", "unknown"] == 3
    assert [key for key in found if key[0] == "smppgw_bind_alarm"] == [
        ("smppgw_bind_alarm", "french/1", "french", "credentials")
    ]
    assert found["smppgw_bind_up", "demo/1", "demo"] == 1
    assert found["smppgw_bind_up", "french/1", "french"] == 0
    assert found["smppgw_bind_limit", "demo/1", "demo", "rate"] == 1
    assert found["smppgw_bind_limit", "demo/1", "demo", "window"] == 0
    assert found["smppgw_bind_submitted_total", "demo/1", "demo"] == 10
    assert found["smppgw_bind_overdue", "french/1", "french"] == 2
    assert found["smppgw_bind_unrecorded", "french/1", "french"] == 3
    assert found["smppgw_bind_deviations_total", "french/1", "french", "extra_octets"] == 4


def test_every_sampled_metric_is_sampled() -> None:
    depths = Depths({("demo", Lane.OTP): 1}, {"demo": 1}, {"demo": 1}, {"demo": 1}, 0, None)
    status = bind_status("demo/1", deviations={"x": 1}, alarm="paused")
    ids = [IdRelationView("demo", "same", False, 1, 1)]
    found = {sample.name for sample in samples(depths, ids, [status], NOW_UTC_MS)}
    assert found == {spec.name for spec in METRICS if spec.sampled}


@pytest.mark.parametrize(
    ("oldest", "age_s"), [(None, 0), (NOW_UTC_MS - 2500, 2.5), (NOW_UTC_MS, 0), (NOW_UTC_MS + 5000, 0)]
)
def test_nothing_due_is_no_age(oldest: int | None, age_s: float) -> None:
    depths = Depths({}, {}, {}, {}, 0, oldest, oldest)
    values = {sample.name: sample.value for sample in samples(depths, [], [], NOW_UTC_MS)}
    assert values["smppgw_oldest_queued_seconds"] == values["smppgw_oldest_parked_seconds"] == age_s
