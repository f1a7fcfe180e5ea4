"""Server-sent events of locks and elections, from where the last connection ended.

Owns: the stream's grammar, coming back with `Last-Event-ID`, and when to. An event is told once; where
some were missed the gateway says `reset`, which is told too: read the state again then.
Thread rule: the client's own loop only.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any, AsyncGenerator, Mapping, Optional

from . import _policy
from ._calls import is_worth_repeating
from ._connection import Connection, Endpoint, NotSent, Unanswered
from ._wire import Reply, Request

_SILENCE_MAX = 40.0  # the gateway's heartbeat comes after 15 s
_OPENING = 10.0
_GOODBYES = ("draining", "overrun")  # the gateway ends the stream; what follows is told by the next


@dataclass(frozen=True)
class Event:
    """kind: granted, renewed, released, expired, broken, refused, proclaimed, state or reset."""

    kind: str
    data: Mapping[str, Any]
    id: Optional[str] = None

    @property
    def is_reset(self) -> bool:
        return self.kind == "reset"


class Lines:
    """Bytes to events; `last_id` is what to come back with."""

    def __init__(self, last_id: Optional[str]) -> None:
        self.last_id = last_id
        self._id = last_id
        self._rest = b""
        self._kind = ""
        self._data: list[str] = []

    def feed(self, part: bytes) -> list[Event]:
        *lines, self._rest = (self._rest + part).split(b"\n")
        found = [self._line(line.rstrip(b"\r").decode()) for line in lines]
        return [event for event in found if event is not None]

    def restart(self) -> None:
        """An event that was cut off is sent again."""
        self._rest, self._kind, self._data, self._id = b"", "", [], self.last_id

    def _line(self, line: str) -> Optional[Event]:
        if not line:
            # An id counts with the blank line behind it: before that its event may be cut off.
            kind, data, self.last_id = self._kind, self._data, self._id
            self._kind, self._data = "", []
            if data:
                return Event(kind or "message", json.loads("\n".join(data)), self.last_id)
            return None
        name, _, value = line.partition(":")
        value = value[1:] if value.startswith(" ") else value
        if name == "event":
            self._kind = value
        elif name == "data":
            self._data.append(value)
        elif name == "id":
            self._id = value
        return None


async def events(
    endpoint: Endpoint, path: str, last_id: Optional[str]
) -> AsyncGenerator[Event, None]:
    """Never ends by itself. Fails with: Refused, UntrustedGateway; outages are waited out."""
    lines = Lines(last_id)
    failures = 0
    while True:
        connection: Optional[Connection] = None
        retry_after: Optional[float] = None
        try:
            connection = await asyncio.wait_for(Connection.open(endpoint), _OPENING)
            status, headers = await asyncio.wait_for(connection.begin(asking(path, lines)), _OPENING)
            if status != 200:
                retry_after = await _refusal(connection, status, headers)
            else:
                parts = connection.body(headers)
                while True:
                    part = await asyncio.wait_for(parts.__anext__(), _SILENCE_MAX)
                    failures = 0
                    for event in lines.feed(part):
                        if event.kind not in _GOODBYES:
                            yield event
        except (NotSent, Unanswered, OSError, EOFError, StopAsyncIteration, asyncio.TimeoutError):
            pass
        finally:
            if connection is not None:
                connection.close()
        lines.restart()
        await asyncio.sleep(_policy.after_refusal(failures, retry_after))
        failures += 1


def asking(path: str, lines: Lines) -> Request:
    headers = {} if not lines.last_id else {"Last-Event-ID": lines.last_id}
    return Request("GET", path, None, headers)


async def _refusal(
    connection: Connection, status: int, headers: Mapping[str, str]
) -> Optional[float]:
    """How long to wait before the next attempt. Fails with: Refused where another is no use."""
    raw = b"".join([part async for part in connection.body(dict(headers))])
    reply = Reply(status, headers, raw)
    if not is_worth_repeating(reply.error()):
        raise reply.error()
    return reply.retry_after
