"""A running simulator, asked over its control port: for the command line, and for tests that start it as a process.

Owns the connection and the reading of answers. Blocks; knows no event loop.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import quote, urlencode

from simulator.control import BadOrder

#: For an answer that needs no waiting.
PATIENCE_S = 30.0


class Control:
    """The control port on host:port. Each method raises OSError when nobody answers there, BadOrder when it is no
    simulator. Answers are JSON objects whose `ok` says whether it was done."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port

    def order(self, name: str, arguments: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Gives an order."""
        return self.ask("POST", f"/orders/{quote(name, safe='')}", arguments or {}, PATIENCE_S)

    def find(self, what: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """`submits`, `messages`, `acks`, `binds` or `summary`; what is None in the query is left out."""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        return self.ask("GET", f"/{what}{'?' if given else ''}{urlencode(given)}", None, PATIENCE_S)

    def expect(self, expectation: Mapping[str, Any]) -> dict[str, Any]:
        """Waits until it is met or its time is over: a Verdict as JSON."""
        within_s = expectation.get("within_s", 5.0)
        return self.ask("POST", "/expect", expectation, within_s + PATIENCE_S)

    def ask(self, method: str, target: str, content: Mapping[str, Any] | None, patience_s: float) -> dict[str, Any]:
        """One request; `target` is its path and query."""
        connection = HTTPConnection(self.host, self.port, timeout=patience_s)
        body = None if content is None else json.dumps(content).encode()
        try:
            connection.request(method, target, body, {"Content-Type": "application/json"} if body else {})
            answer = json.loads(connection.getresponse().read())
        except (HTTPException, ValueError):
            answer = None
        finally:
            connection.close()
        if not isinstance(answer, dict) or "ok" not in answer:
            raise BadOrder("what answers there is no simulator")
        return answer
