"""A fault proxy between a client and a gateway: HTTP/1.1 over TLS on both sides.

Owns: faults by route, outages, and a log of what was asked and over which connection.
It has a certificate of its own CA, so a client that trusts the gateway's CA alone must refuse it.
Thread rule: one asyncio loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import json
import ssl
from dataclasses import dataclass, field
from typing import Any, Awaitable, Callable, Optional

Head = tuple[str, dict[str, str], bytes]  # first line, headers in lower case, as it came
Streams = Callable[[], Awaitable[Callable[[], Optional["Fault"]]]]
_BROKEN = (OSError, EOFError, ssl.SSLError, asyncio.LimitOverrunError)


@dataclass
class Asked:
    """A request as it came, `CONNECT /` in an outage, `STREAM GET ...` once a stream has begun, `HELD
    POST ...` when a reply that was held has been passed on.
    `connection` numbers those of this proxy."""

    route: str  # "POST /v1/locks/a"
    headers: dict[str, str]
    body: bytes
    connection: int
    at: float


@dataclass
class Fault:
    """on: a pattern of routes; do: lose_request, lose_reply, hold_reply (for hold_ms), answer, or, for a
    stream, cut_in_event; times: how often yet."""

    on: str
    do: str
    times: int = 1
    hold_ms: int = 0
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    def hits(self, route: str) -> bool:
        return self.times > 0 and matches(self.on, route)


def matches(pattern: str, route: str) -> bool:
    return fnmatch.fnmatchcase(route.partition("?")[0], pattern)


class Proxy:
    def __init__(self, tls: ssl.SSLContext, gateway_tls: ssl.SSLContext, gateway_port: int) -> None:
        self.log: list[Asked] = []
        self.faults: list[Fault] = []
        self.outage: Optional[str] = None  # refuse: connections are reset; silence: nothing comes back
        self.changed = asyncio.Condition()
        self._tls = tls
        self._gateway_tls = gateway_tls
        self._gateway_port = gateway_port
        self._open: set[asyncio.StreamWriter] = set()
        self._connections = 0
        self._over = asyncio.Event()
        self._server: Optional[asyncio.Server] = None
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._over.set()
        if self._server is not None:
            self._server.close()
        self.cut()

    def cut(self) -> None:
        """Resets every connection."""
        for writer in list(self._open):
            writer.transport.abort()

    async def set_outage(self, kind: Optional[str]) -> None:
        self.outage = kind
        if kind is None:
            self._over.set()
        else:
            self._over.clear()
        if kind != "silence":
            self.cut()
        await self._tell()

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        number = self._connections
        self._open.add(writer)
        try:
            if self.outage is not None:
                await self._record("CONNECT /", {}, b"", number)
                if self.outage == "silence":
                    await self._over.wait()
                return
            await writer.start_tls(self._tls)
            await self._relay(reader, writer, number)
        except _BROKEN:
            pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _record(self, route: str, headers: dict[str, str], body: bytes, number: int) -> None:
        now = asyncio.get_running_loop().time()
        self.log.append(Asked(route, headers, body, number, now))
        await self._tell()

    async def _relay(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        up: Optional[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = None
        try:
            while True:
                head = await read_head(reader)
                body = await reader.readexactly(int(head[1].get("content-length", "0")))
                route = " ".join(head[0].split(" ")[:2])
                await self._record(route, head[1], body, number)
                if self.outage == "silence":
                    await self._over.wait()
                    return
                fault = self._hit(route)
                if fault is not None and fault.do == "lose_request":
                    return
                if fault is not None and fault.do == "answer":
                    writer.write(spell(fault))
                    continue
                up = up or await self._connect()
                up[1].write(head[2] + body)
                exchange = Exchange(reader, writer, up[0])
                if not await exchange.run(fault, lambda: self._streams(route, number)):
                    return
                if fault is not None:
                    await self._record(f"HELD {route}", {}, b"", number)
        finally:
            if up is not None:
                up[1].transport.abort()

    def _hit(self, route: str) -> Optional[Fault]:
        fault = next((fault for fault in self.faults if fault.hits(route)), None)
        if fault is not None:
            fault.times -= 1
        return fault

    async def _streams(self, route: str, number: int) -> Callable[[], Optional[Fault]]:
        await self._record(f"STREAM {route}", {}, b"", number)
        return lambda: self._hit(f"STREAM {route}")

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(
            "127.0.0.1", self._gateway_port, ssl=self._gateway_tls, limit=1 << 20
        )


class Exchange:
    """One reply on its way to the client."""

    def __init__(
        self,
        client: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        gateway: asyncio.StreamReader,
    ) -> None:
        self._client = client
        self._writer = writer
        self._gateway = gateway

    async def run(self, fault: Optional[Fault], streams: Streams) -> bool:
        """Passes it on, late if it is held, or reads it and drops it. False if the connection is to be closed."""
        first = asyncio.ensure_future(read_head(self._gateway))
        gone = asyncio.ensure_future(self._client.read(1))  # nobody pipelines, so this is the end
        try:
            await asyncio.wait({first, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not first.done():
                return False
            _, headers, raw = first.result()
            if fault is not None and fault.do == "hold_reply":
                await asyncio.sleep(fault.hold_ms / 1000)
            elif fault is not None:
                async for _ in parts(self._gateway, headers):
                    pass
                return False
            self._writer.write(raw)
            if headers.get("content-type", "").startswith("text/event-stream"):
                passing = asyncio.ensure_future(self._stream(headers, streams))
                await asyncio.wait({passing, gone}, return_when=asyncio.FIRST_COMPLETED)
                passing.cancel()
                return False
            async for part in parts(self._gateway, headers):
                self._writer.write(part)
            await self._writer.drain()
            return headers.get("connection") != "close"
        finally:
            for task in (first, gone):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, *_BROKEN):
                    await task

    async def _stream(self, headers: dict[str, str], streams: Streams) -> None:
        hit: Optional[Callable[[], Optional[Fault]]] = None
        async for part in parts(self._gateway, headers):
            if hit is not None and b"event:" in part and hit() is not None:
                self._writer.write(part[: part.index(b"data:")])
                return
            self._writer.write(part)
            await self._writer.drain()
            hit = hit or await streams()


async def read_head(reader: asyncio.StreamReader) -> Head:
    raw = await reader.readuntil(b"\r\n\r\n")
    lines = raw.decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in lines[1:] if line)
    return lines[0], {name.lower(): value.strip() for name, _, value in fields}, raw


async def parts(reader: asyncio.StreamReader, headers: dict[str, str]) -> Any:
    """The body, as it is framed."""
    if headers.get("transfer-encoding") == "chunked":
        while True:
            size = await reader.readuntil(b"\r\n")
            yield size + await reader.readexactly(int(size, 16) + 2)
            if int(size, 16) == 0:
                return
    elif headers.get("content-type", "").startswith("text/event-stream"):
        while part := await reader.read(65536):
            yield part
    elif int(headers.get("content-length", "0")) > 0:
        yield await reader.readexactly(int(headers["content-length"]))


def spell(fault: Fault) -> bytes:
    body = b"" if fault.body is None else json.dumps(fault.body).encode()
    lines = [f"HTTP/1.1 {fault.status} Fault", "Content-Type: application/problem+json"]
    lines += [f"{name}: {value}" for name, value in fault.headers.items()]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
