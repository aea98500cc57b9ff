"""HTTP/1.1 over a trio stream: requests in, answers out, and no more than that.

Owns the limits of a request in octets and in time, and who may ask: a browser on this machine that shows a foreign
page must not reach us, neither directly (Origin) nor by a name that its owner has pointed at this machine (Host).
Refuses to know what is asked for. h11 reads and writes the protocol. Whatever comes ends at worst its own connection:
hypercorn, the ASGI server for trio, was tried and left: one bad `HTTP2-Settings` header (an h2c upgrade that cannot
be switched off) ended the whole server, and a client that does not read held up its end, as it writes shielded.
"""

from __future__ import annotations

import ipaddress
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, unquote

import h11
import trio

logger = logging.getLogger("simulator")

MAX_HEAD_OCTETS = 16_384
MAX_BODY_OCTETS = 1_048_576
MAX_CONNECTIONS = 200
IDLE_S = 75.0  # between two requests of a connection
REQUEST_S = 10.0  # from the first octet of a request to its last
SEND_S = 30.0  # for an answer to be taken
_LINGER_S = 1.0
_CHUNK_OCTETS = 65_536
_MAX_FIELDS = 100

JSON = "application/json"
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.%]+\]|[^:/@\[\]]+)(?::\d+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `query` holds the last value of each name, `headers` are named in lower case.

    `gone` returns once the client has closed its end: for answers that take their time.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    gone: Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """A request that is not passed on. `status` and the text go back, and the connection is closed."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


#: Makes an answer of the text of an error.
MakeError = Callable[[int, str], Answer]
Handle = Callable[[Request], Awaitable[Answer]]


class Gate:
    """Which Host and Origin headers may pass.

    Host: `localhost`, what ends in `.localhost`, `names`, and any IP address, since whoever wants us to be reached
    under a name of his own must use that name. Origin: the same server, or one on this machine.
    """

    def __init__(self, names: Collection[str] = ()) -> None:
        self._names = frozenset(name.lower().rstrip(".") for name in names)

    def check(self, host: str | None, origin: str | None) -> None:
        """Raises Refused. `host` is None where HTTP/1.0 leaves it out, as no browser does."""
        if host is not None and not self._may_be_ours(host):
            text = f"Host is {host[:100]!r}: not an address, localhost, or a name given by --control-name"
            raise Refused(403, text)
        if origin is not None and not self._may_ask(origin, host):
            raise Refused(403, f"Origin is {origin[:100]!r}: pages from elsewhere may not give orders")

    def _may_be_ours(self, host: str) -> bool:
        name = _name_in(host)
        return name is not None and (_is_local_name(name) or name in self._names or _address(name) is not None)

    def _may_ask(self, origin: str, host: str | None) -> bool:
        scheme, found, rest = origin.partition("://")
        if not found or scheme.lower() not in ("http", "https"):
            return False
        if host is not None and rest.lower() == host.lower():
            return True
        name = _name_in(rest)
        if name is None:
            return False
        address = _address(name)
        return _is_local_name(name) or (address is not None and address.is_loopback)


def _name_in(host: str) -> str | None:
    found = _HOST.fullmatch(host.strip())
    return found["name"].lower().rstrip(".") if found is not None else None


def _is_local_name(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost")


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return None


async def serve_http(
    handle: Handle,
    make_error: MakeError,
    listeners: Sequence[trio.SocketListener],
    gate: Gate,
) -> None:
    """Serves until cancelled. Closes the listeners then."""
    server = Server(handle, make_error, gate)
    await trio.serve_listeners(server.serve_stream, list(listeners))


class Server:
    """Answers the requests of any number of connections, MAX_CONNECTIONS at one time."""

    def __init__(self, handle: Handle, make_error: MakeError, gate: Gate) -> None:
        self._handle = handle
        self._make_error = make_error
        self._gate = gate
        self._open = 0

    async def serve_stream(self, stream: trio.abc.Stream) -> None:
        """Serves one connection until it ends, and closes it. Raises nothing but what cancels it."""
        self._open += 1
        try:
            if self._open <= 2 * MAX_CONNECTIONS:  # those past that are closed without a word
                await _Connection(stream, self).run(too_many=self._open > MAX_CONNECTIONS)
        except (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
            pass  # the client has gone, or does not read
        except Exception:
            logger.exception("a connection to the control port ended by an error of ours")
        finally:
            self._open -= 1
            await trio.aclose_forcefully(stream)

    async def answer(self, request: Request) -> Answer:
        """The answer of the handler, or one about its error."""
        try:
            self._gate.check(request.headers.get("host"), request.headers.get("origin"))
            return await self._handle(request)
        except Refused as refused:
            return self.error(refused.status, refused.text)
        except Exception:
            logger.exception("%s %s failed by an error of ours", request.method, request.path)
            return self.error(500, "an error of the simulator's own; its log has more")

    def error(self, status: int, text: str) -> Answer:
        return self._make_error(status, text)


class _Connection:
    """One connection: a request, its answer, the next one."""

    def __init__(self, stream: trio.abc.Stream, server: Server) -> None:
        self._stream = stream
        self._server = server
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_OCTETS)

    async def run(self, *, too_many: bool) -> None:
        if too_many:
            await self._send_last(503, f"more than {MAX_CONNECTIONS} connections; close some")
            return
        while True:
            try:
                request = await self._request()
            except Refused as refused:
                await self._send_last(refused.status, refused.text)
                return
            except h11.RemoteProtocolError as wrong:
                await self._send_last(wrong.error_status_hint, f"this is no HTTP/1.1 request: {wrong}")
                return
            if request is None:
                return
            answer = await self._server.answer(request)
            await self._send(answer, with_body=request.method != "HEAD")
            if h11.MUST_CLOSE in (self._http.our_state, self._http.their_state):
                return
            self._http.start_next_cycle()

    async def _request(self) -> Request | None:
        """The next request; None when the client has no more, or waits too long. Raises Refused."""
        with trio.move_on_after(IDLE_S) as idle:
            while self._http.trailing_data == (b"", False):
                data = bytes(await self._stream.receive_some(_CHUNK_OCTETS))
                self._http.receive_data(data)
                if not data:
                    return None
        if idle.cancelled_caught:
            return None
        with trio.move_on_after(REQUEST_S):
            return await self._read_request()
        raise Refused(408, f"the request was not complete after {REQUEST_S:g} s")

    async def _read_request(self) -> Request | None:
        head = await self._event()
        if not isinstance(head, h11.Request):
            return None  # the end of the stream
        if head.http_version not in (b"1.0", b"1.1"):
            raise Refused(505, f"HTTP/{head.http_version.decode()} is not spoken here, HTTP/1.1 is")
        body = bytearray()
        while not isinstance(event := await self._event(), h11.EndOfMessage):
            if not isinstance(event, h11.Data):
                return None
            body += event.data
            if len(body) > MAX_BODY_OCTETS:
                raise Refused(413, f"the body is longer than {MAX_BODY_OCTETS} octets")
        return _request_of(head, bytes(body), self._gone)

    async def _event(self) -> Any:
        """The next event of h11."""
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            if self._http.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
                await self._stream.send_all(self._http.send(go_on) or b"")
            self._http.receive_data(bytes(await self._stream.receive_some(_CHUNK_OCTETS)))

    async def _gone(self) -> None:
        """Octets of a next request may come meanwhile: they are kept, and no more are read until it is its turn."""
        data = bytes(await self._stream.receive_some(_CHUNK_OCTETS))
        self._http.receive_data(data)
        if data:
            await trio.sleep_forever()

    async def _send(self, answer: Answer, *, with_body: bool = True) -> None:
        headers = {
            "Date": formatdate(usegmt=True),
            "Server": "smppgw-simulator",
            "Content-Type": answer.content_type,
            "Content-Length": str(len(answer.body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            **answer.headers,
        }
        if h11.MUST_CLOSE in (self._http.our_state, self._http.their_state):
            headers["Connection"] = "close"
        head = h11.Response(status_code=answer.status, headers=list(headers.items()), reason=_reason(answer.status))
        data = self._http.send(head) or b""
        if with_body:
            data += self._http.send(h11.Data(data=answer.body)) or b""
        data += self._http.send(h11.EndOfMessage()) or b""
        with trio.fail_after(SEND_S):
            await self._stream.send_all(data)

    async def _send_last(self, status: int, text: str) -> None:
        """An answer to what was not read to its end. The rest is read and dropped for a moment: a connection that is
        closed with octets unread is reset, and the answer lost with it."""
        if self._http.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        answer = self._server.error(status, text)
        await self._send(Answer(answer.status, answer.body, answer.content_type, {"Connection": "close"}))
        if isinstance(self._stream, trio.abc.HalfCloseableStream):
            await self._stream.send_eof()
        with trio.move_on_after(_LINGER_S):
            while await self._stream.receive_some(_CHUNK_OCTETS):
                pass


def _request_of(head: h11.Request, body: bytes, gone: Callable[[], Awaitable[None]]) -> Request:
    # h11 lets octets above 127 through in headers only; latin-1 cannot fail.
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
    return request_of(head.method.decode("latin-1"), head.target.decode("latin-1"), headers, body, gone)


def request_of(
    method: str, target: str, headers: Mapping[str, str], body: bytes, gone: Callable[[], Awaitable[None]]
) -> Request:
    """The request with its `target` taken apart. Raises Refused."""
    path, _, query = target.partition("?")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise Refused(400, f"the query has more than {_MAX_FIELDS} fields") from None
    return Request(method, unquote(path), dict(pairs), headers, body, gone)


def _reason(status: int) -> bytes:
    return _REASONS.get(status, "").encode()


_REASONS = {
    200: "OK",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    413: "Content Too Large",
    417: "Expectation Failed",
    422: "Unprocessable Content",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}
