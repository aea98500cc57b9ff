"""TLS over the loopback interface, with an authority of our own."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import trio

from smppgw.binds import BindPool, tls
from smppgw.binds.connect import open_stream
from smppgw.clock import Clock
from smppgw.config import TlsSettings
from tests.support.binds import carrier
from tests.support.bindstore import BindStore
from tests.support.certificates import Authority, Serve, listening, with_alerts, with_tls
from tests.support.smsc import FakeSmsc, Link


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def echo(stream: trio.abc.Stream) -> None:
    while data := await stream.receive_some(100):
        await stream.send_all(data)


async def shaken(port: int, host: str = "localhost", **settings: Any) -> trio.abc.Stream:
    """A stream with TLS to a port of this machine."""
    return await open_stream(carrier(tls=TlsSettings(enabled=True, **settings)), host, port)


async def trouble(serve: Serve, **settings: Any) -> str:
    """What `open_stream` says of such a server."""
    async with listening(serve) as port:
        with pytest.raises(OSError) as caught:
            await shaken(port, **settings)
    return str(caught.value)


@pytest.mark.parametrize(
    ("enabled", "first_port", "port", "wanted"),
    [
        (None, 2775, 2775, False),
        (None, 3550, 3550, True),
        (None, 3550, 2775, True),  # a fallback: the password does not travel in the clear because 3550 is away
        (None, 2775, 3550, True),
        (True, 2775, 2775, True),
        (False, 3550, 3550, False),
    ],
)
def test_when_tls_is_wanted(enabled: bool | None, first_port: int, port: int, wanted: bool) -> None:
    assert tls.is_wanted(carrier(port=first_port, tls=TlsSettings(enabled=enabled)), port) is wanted


async def test_octets_go_both_ways(authority: Authority) -> None:
    async with listening(with_tls(authority.server("localhost"), echo)) as port:
        stream = await shaken(port, ca_file=authority.ca_file)
        async with stream:
            assert isinstance(stream, trio.SSLStream)
            assert stream.transport_stream.getsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_NODELAY)
            await stream.send_all(b"hello")
            assert await stream.receive_some(10) == b"hello"


async def test_an_address_is_checked_as_an_address(authority: Authority) -> None:
    async with listening(with_tls(authority.server("127.0.0.1"), echo)) as port:
        await (await shaken(port, "127.0.0.1", ca_file=authority.ca_file)).aclose()


async def test_server_name_is_what_is_asked_for_and_checked(authority: Authority) -> None:
    asked: list[str | None] = []
    context = authority.server("smsc.example")
    context.sni_callback = lambda _, name, __: asked.append(name)
    async with listening(with_tls(context, echo)) as port:
        await (await shaken(port, ca_file=authority.ca_file, server_name="smsc.example")).aclose()
    assert asked == ["smsc.example"]


async def test_an_authority_that_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    text = await trouble(with_tls(authority.server("localhost"), echo), ca_file=other.ca_file)
    assert "authority that is not trusted; put that into tls.ca_file" in text
    assert "not trusted" in await trouble(with_tls(authority.server("localhost"), echo))  # that of the system


async def test_a_name_that_differs_is_told_with_both_names(authority: Authority) -> None:
    serve = with_tls(authority.server("smsc.example", "192.0.2.7"), echo)
    text = await trouble(serve, ca_file=authority.ca_file)
    assert "another name than localhost" in text
    assert "it is for smsc.example, 192.0.2.7" in text
    assert "tls.server_name" in text


async def test_the_names_are_asked_for_from_the_same_address(authority: Authority) -> None:
    peers: list[str] = []

    async def noting(stream: trio.abc.Stream) -> None:
        assert isinstance(stream, trio.SocketStream)
        peers.append(stream.socket.getpeername()[0])
        await with_tls(authority.server("smsc.example"), echo)(stream)

    its = carrier(tls=TlsSettings(enabled=True, ca_file=authority.ca_file), source_address="127.0.0.2")
    async with listening(noting) as port:
        with pytest.raises(OSError, match=r"it is for smsc\.example"):
            await open_stream(its, "127.0.0.1", port)
    assert peers == ["127.0.0.2"] * 2


async def test_names_of_a_server_that_does_not_answer_twice(authority: Authority) -> None:
    served = 0

    async def once(stream: trio.abc.Stream) -> None:
        nonlocal served
        served += 1
        if served == 1:
            await with_tls(authority.server("smsc.example"), echo)(stream)
        await stream.aclose()

    assert "it is for another name;" in await trouble(once, ca_file=authority.ca_file)
    assert served == 2


async def test_expired(authority: Authority) -> None:
    serve = with_tls(authority.server("localhost", expired=True), echo)
    assert "has expired; the SMSC has to renew it" in await trouble(serve, ca_file=authority.ca_file)


async def test_verify_off_takes_any(authority: Authority) -> None:
    async with listening(with_tls(authority.server("smsc.example", expired=True), echo)) as port:
        await (await shaken(port, verify=False)).aclose()


async def clear(stream: trio.abc.Stream) -> None:
    """An SMSC without TLS: to it a ClientHello is a command_length that cannot be."""
    await stream.receive_some(1000)
    await stream.send_all(bytes.fromhex("00000010 80000000 00000002 00000000"))
    await stream.aclose()


async def test_no_tls_at_the_other_end() -> None:
    assert "does not speak TLS" in await trouble(clear)


async def test_an_end_that_hangs_up() -> None:
    async def hang_up(stream: trio.abc.Stream) -> None:
        await stream.receive_some(1000)
        await stream.aclose()

    assert "is there TLS on this port" in await trouble(hang_up)


async def test_an_end_that_says_nothing() -> None:
    async def silent(stream: trio.abc.Stream) -> None:
        await trio.sleep_forever()

    async with listening(silent) as port:
        settings = carrier(tls=TlsSettings(enabled=True), timers={"connect_s": 0.2})
        with pytest.raises(TimeoutError, match=f"is there TLS on port {port}"):
            await open_stream(settings, "127.0.0.1", port)


async def test_a_client_certificate_that_is_asked_for(authority: Authority) -> None:
    context = authority.server("localhost", asks_for_client=True)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # 1.3 says so only after the handshake
    text = await trouble(with_alerts(context), ca_file=authority.ca_file)
    assert "set tls.cert_file and tls.key_file" in text


async def test_a_client_certificate_is_shown(authority: Authority) -> None:
    async with listening(with_tls(authority.server("localhost", asks_for_client=True), echo)) as port:
        stream = await shaken(port, ca_file=authority.ca_file, cert_file=authority.issue("esme"))
        await stream.send_all(b"hello")
        assert await stream.receive_some(10) == b"hello"
        await stream.aclose()


async def test_a_client_certificate_that_is_refused(authority: Authority, tmp_path: Path) -> None:
    context = authority.server("localhost", asks_for_client=True)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    stranger = Authority(tmp_path, "other").issue("esme")
    text = await trouble(with_alerts(context), ca_file=authority.ca_file, cert_file=stranger)
    assert "does not accept our certificate" in text


async def test_min_version(authority: Authority) -> None:
    context = authority.server("localhost")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    text = await trouble(with_alerts(context), ca_file=authority.ca_file, min_version="1.3")
    assert "tls.min_version" in text


async def test_a_bind_that_ends_for_want_of_a_client_certificate(authority: Authority) -> None:
    """TLS 1.3: the handshake is over for us before the SMSC says so, if its word gets through at all."""
    clock = Clock()
    async with listening(with_alerts(authority.server("localhost", asks_for_client=True))) as port:
        its = carrier(host="localhost", port=port, tls=TlsSettings(enabled=True, ca_file=authority.ca_file))
        pool = BindPool({"demo": its}, BindStore(clock.utc_ms), clock)
        async with trio.open_nursery() as nursery:
            await nursery.start(pool.run)
            with trio.fail_after(10):
                while not pool.status()[0].last_error:  # noqa: ASYNC110
                    await trio.sleep(0.01)
                assert pool.status()[0].last_error.endswith("it may want a client certificate (tls.cert_file)")
                await pool.stop()


def test_tls_13_says_after_the_handshake_that_it_wants_a_certificate() -> None:
    error = trio.BrokenResourceError()
    cause = ssl.SSLError(1, "tlsv13 alert certificate required")
    cause.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    error.__cause__ = cause
    assert tls.explain(error) == "the SMSC asks for a client certificate; set tls.cert_file and tls.key_file"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (trio.BrokenResourceError("broken"), "broken"),
        (trio.ClosedResourceError(), "ClosedResourceError"),
        (ConnectionResetError(104, "Connection reset by peer"), "[Errno 104] Connection reset by peer"),
    ],
)
def test_trouble_without_tls_keeps_its_words(error: BaseException, text: str) -> None:
    assert tls.explain(error) == text


@pytest.mark.parametrize("setting", ["ca_file", "cert_file"])
@pytest.mark.parametrize("content", [None, "not a certificate"])
async def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, setting: str, content: str | None) -> None:
    file = tmp_path / "bad.pem"
    if content is not None:
        file.write_text(content)
    text = await trouble(clear, **{setting: file})
    assert f"tls.{setting} {file}" in text


async def test_files_are_read_at_each_connect(authority: Authority, tmp_path: Path) -> None:
    """A certificate that is renewed needs no restart."""
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(Authority(tmp_path, "old").ca_file.read_text())
    async with listening(with_tls(authority.server("localhost"), echo)) as port:
        with pytest.raises(OSError, match="not trusted"):
            await shaken(port, ca_file=trusted)
        trusted.write_text(authority.ca_file.read_text())
        await (await shaken(port, ca_file=trusted)).aclose()


async def test_a_session_over_tls(authority: Authority) -> None:
    """Reader and writer at once, and an SMSC that closes without close_notify."""
    clock = Clock()
    async with trio.open_nursery() as nursery:
        smsc = FakeSmsc(nursery)

        async def serve(stream: trio.abc.Stream) -> None:
            smsc.links.append(Link(smsc, stream))
            await smsc.link.serve()

        async with listening(with_tls(authority.server("localhost"), serve)) as port:
            settings = carrier(
                host="localhost", port=port, tls=TlsSettings(enabled=True, ca_file=authority.ca_file), window=10
            )
            store = BindStore(clock.utc_ms)
            pool = BindPool({"demo": settings}, store, clock)
            await nursery.start(pool.run)
            store.queue(300)
            with trio.fail_after(20):
                while store.states() != {"sent": 300}:  # noqa: ASYNC110
                    await trio.sleep(0.01)
                inner = smsc.link.stream
                assert isinstance(inner, trio.SSLStream)
                await trio.aclose_forcefully(inner.transport_stream)
                while len(smsc.links) < 2 or not pool.status()[0].state.is_bound:  # noqa: ASYNC110
                    await trio.sleep(0.01)
                await pool.stop()
            assert smsc.link.unbind_received
            nursery.cancel_scope.cancel()
