from __future__ import annotations

from pathlib import Path

from simulator.delays import Delay
from simulator.settings import SimulatorSettings, parse_outcomes

from .world import items, world


async def test_from_submit_to_verdict(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        (result,) = await w.send({"to": "07700 900123", "text": "Your code is 123456"})
        await w.until_final(1)
        message = await w.message(result["id"])
        assert (message["state"], message["to"], message["from"]) == ("delivered", "+447700900123", "BANK")
        reasons = [entry["reason"] for entry in message["history"]]
        assert reasons == ["accepted", "claimed", "carrier_accepted", "receipt"]
        (submit,) = w.smsc.submits
        assert (submit.source, submit.destination) == ("BANK", "447700900123")
        assert message["segments"][0]["smsc_id"] == submit.message_id


async def test_every_text_arrives_as_it_was_given(tmp_path: Path) -> None:
    texts = [
        "plain",
        "with [brackets] {braces} ~ ^ | \\ and €",
        "€" * 200,
        "Ваш код 1234. Никому его не сообщайте." * 4,
        "您的验证码是 123456" * 10,
        "👩‍👩‍👧‍👦🇬🇧" * 30,
        "@£$¥èéùìòÇ\nØø\rÅå",
    ]
    async with world(tmp_path) as w:
        results = await w.send(*({"to": f"+4477009001{i:02d}", "text": text} for i, text in enumerate(texts)))
        await w.until_final(len(texts))
        for i, (text, result) in enumerate(zip(texts, results, strict=True)):
            parts = [one for one in w.smsc.submits if one.destination == f"4477009001{i:02d}"]
            assert len(parts) == result["segments"]
            joined = "".join(
                one.text for one in sorted(parts, key=lambda one: one.octets[:6] if len(parts) > 1 else b"")
            )
            assert joined == text


async def test_a_thousand_in_one_batch_each_with_its_fate(tmp_path: Path) -> None:
    outcomes = parse_outcomes("DELIVRD=80,UNDELIV=10,EXPIRED=5,REJECTD=5")
    settings = SimulatorSettings(outcomes=outcomes, receipt_delay=Delay(0, 0.2), response_delay=Delay(0, 0.02))
    async with world(tmp_path, settings, window=20) as w:
        results = await w.send(*items(1000))
        assert [result["index"] for result in results] == list(range(1000))
        messages = await w.until_final(1000)
        assert {message["id"] for message in messages} == {result["id"] for result in results}
        assert len(w.smsc.submits) == 1000
        assert {message["state"] for message in messages} == {"delivered", "failed", "expired", "rejected"}
        assert w.smsc.summary()["max_window"] <= 20
