"""A gateway of its own for each scenario, and the way to it that passes no proxy.

Owns: the process, its data folder, a key for the driver beside the administrator's.
Thread rule: one asyncio loop.
"""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
from pathlib import Path
from typing import Any, Optional

from proxy import parts, read_head

_START = 20.0
_RELOADED = "reloaded keys"


class Gateway:
    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._data = folder / "data"
        self._ready = folder / "ready"
        self._log = folder / "gateway.log"
        self._process: Optional[asyncio.subprocess.Process] = None
        self.port = 0
        self.driver_key = ""

    @property
    def ca(self) -> Path:
        return self._data / "ca.pem"

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca))

    async def start(self) -> None:
        self._ready.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                str(self._program),
                "serve",
                *("--data-dir", str(self._data), "--ready-file", str(self._ready)),
                *("--listen", f"127.0.0.1:{self.port}", "--admin-listen", "127.0.0.1:0"),
                stdout=log,
                stderr=log,
            )
        await asyncio.wait_for(self._until_ready(), _START)
        if not self.driver_key:
            await self._make_key()

    async def kill_and_start(self) -> None:
        """As a crash does it: nothing is drained."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()
        await self.start()

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def revoke_driver_key(self) -> None:
        await self._run("key", "revoke", self.driver_key.split("_")[1])
        await self._reload()

    async def call(self, route: str, body: Any = None, headers: Any = None) -> dict[str, Any]:
        """{"status", "headers", "body"}, with the administrator's key."""
        method, path = route.split(" ", 1)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.tls)
        try:
            sent = b"" if body is None else json.dumps(body).encode()
            lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close"]
            lines.append(f"Authorization: Bearer {(self._data / 'api-key').read_text().strip()}")
            lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
            if sent:
                lines.append("Content-Type: application/json")
            lines.append(f"Content-Length: {len(sent)}")
            writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + sent)
            line, found, _ = await read_head(reader)
            raw = b"".join([part async for part in parts(reader, found)])
            status = int(line.split(" ")[1])
            return {"status": status, "headers": found, "body": json.loads(raw) if raw else None}
        finally:
            writer.transport.abort()

    async def _until_ready(self) -> None:
        assert self._process is not None
        while not self._ready.exists():
            if self._process.returncode is not None:
                raise RuntimeError(f"the gateway ended: {self._log.read_text()}")
            await asyncio.sleep(0.01)
        self.port = int(json.loads(self._ready.read_text())["listen"].rpartition(":")[2])

    async def _make_key(self) -> None:
        """Of another principal than the administrator's, with what a worker needs."""
        scopes = [part for name in ("locks", "payments") for part in (f"{name}:read", f"{name}:write")]
        flags = [flag for scope in scopes for flag in ("--scope", scope)]
        text = await self._run("key", "add", "--principal", "worker", *flags)
        self.driver_key = next(word for word in text.split() if word.startswith("fgk_"))
        await self._reload()

    async def _reload(self) -> None:
        """Done when the driver's key is judged by the file as it is now."""
        assert self._process is not None
        before = self._log.read_text().count(_RELOADED)
        self._process.send_signal(signal.SIGHUP)
        while self._log.read_text().count(_RELOADED) == before:
            await asyncio.sleep(0.01)

    async def _run(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            str(self._program),
            *arguments,
            *("--data-dir", str(self._data)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        text = (await process.communicate())[0].decode()
        if process.returncode != 0:
            raise RuntimeError(text)
        return text
