"""One HTTPS connection, and the few that are kept open for the next request.

Owns: sockets, TLS, framing, and the difference between "not sent" and "not answered".
Thread rule: the client's own loop only.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import AsyncIterator, Optional

from ._wire import Malformed, Reply, Request, read_head, spell
from .errors import UntrustedGateway

_IDLE_MAX = 8
_HEAD_BYTES_MAX = 64 * 1024


class NotSent(Exception):
    """No byte of the request left."""


class Unanswered(Exception):
    """It left, wholly or in part, and no whole answer came."""


@dataclass(frozen=True)
class Endpoint:
    host: str
    port: int
    tls: ssl.SSLContext
    key: Optional[str]

    @property
    def name(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


class Connection:
    def __init__(
        self, endpoint: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._endpoint = endpoint
        self._reader = reader
        self._writer = writer
        self.reusable = True

    @classmethod
    async def open(cls, endpoint: Endpoint) -> Connection:
        """Fails with: UntrustedGateway, NotSent."""
        try:
            reader, writer = await asyncio.open_connection(
                endpoint.host,
                endpoint.port,
                ssl=endpoint.tls,
                server_hostname=endpoint.host,
                limit=_HEAD_BYTES_MAX,
            )
        except ssl.SSLCertVerificationError as error:
            raise UntrustedGateway(f"{endpoint.name}: {error.verify_message}") from error
        except OSError as error:  # ssl.SSLError is one
            raise NotSent(f"{endpoint.name}: {error}") from error
        return cls(endpoint, reader, writer)

    @property
    def usable(self) -> bool:
        return self.reusable and not self._reader.at_eof() and not self._writer.is_closing()

    async def exchange(self, request: Request) -> Reply:
        """Fails with: Unanswered. A connection that failed, or was left alone, is not used again."""
        self.reusable = False
        status, headers = await self.begin(request)
        try:
            raw = b""
            if status not in (204, 304):
                raw = b"".join([part async for part in self.body(headers)])
        except (OSError, EOFError, ValueError) as error:
            raise Unanswered(str(error) or "the answer was cut off") from error
        self.reusable = headers.get("connection", "").lower() != "close"
        return Reply(status, headers, raw)

    async def begin(self, request: Request) -> tuple[int, dict[str, str]]:
        """Sends it and reads the answer's head. Fails with: Unanswered."""
        try:
            self._writer.write(spell(request, self._endpoint.name, self._endpoint.key))
            await self._writer.drain()
            while True:
                status, headers = read_head(await self._reader.readuntil(b"\r\n\r\n"))
                if status >= 200:
                    return status, headers
        except (OSError, EOFError, Malformed, asyncio.LimitOverrunError) as error:
            raise Unanswered(str(error) or "the connection was closed") from error

    async def body(self, headers: dict[str, str]) -> AsyncIterator[bytes]:
        """Parts of the body as they come. Fails with: OSError, EOFError, ValueError."""
        if headers.get("transfer-encoding", "").lower() == "chunked":
            while size := int((await self._reader.readuntil(b"\r\n")).split(b";")[0], 16):
                yield await self._reader.readexactly(size)
                await self._reader.readexactly(2)
            while await self._reader.readuntil(b"\r\n") != b"\r\n":
                pass
        elif "content-length" in headers:
            yield await self._reader.readexactly(int(headers["content-length"]))
        else:
            while part := await self._reader.read(65536):
                yield part

    def close(self) -> None:
        self._writer.transport.abort()


class Pool:
    """As many connections as there are requests at a time; `idle_max` of them stay open."""

    def __init__(self, endpoint: Endpoint, idle_max: int = _IDLE_MAX) -> None:
        self._endpoint = endpoint
        self._idle: list[Connection] = []
        self._idle_max = idle_max

    async def send(self, request: Request, timeout: float) -> Reply:
        """Fails with: UntrustedGateway, NotSent, Unanswered; a time-out is one of the last two."""
        sent = False

        async def attempt() -> Reply:
            nonlocal sent
            connection = self._take() or await Connection.open(self._endpoint)
            sent = True
            try:
                return await connection.exchange(request)
            finally:
                self._give_back(connection)

        try:
            reply = await asyncio.wait_for(attempt(), timeout)
        except asyncio.TimeoutError as error:
            text = f"no answer within {timeout:.1f} s"
            raise (Unanswered(text) if sent else NotSent(text)) from error
        if reply.ok and not reply.is_json:
            raise Unanswered("something on the way answered in the gateway's place")
        return reply

    def _take(self) -> Optional[Connection]:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            connection.close()
        return None

    def _give_back(self, connection: Connection) -> None:
        if connection.usable and len(self._idle) < self._idle_max:
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()
