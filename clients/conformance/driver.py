"""The runner's end of a driver: a process that speaks for one client, in lines of JSON.

Owns: the process, which answer belongs to which question, and the events in the order they came.
Thread rule: one asyncio loop.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
from pathlib import Path
from typing import Any, Optional, Sequence

_LINE_BYTES_MAX = 1 << 20


class Driver:
    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._command = command
        self._log = log
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._process: Optional[asyncio.subprocess.Process] = None
        self._reading: Optional[asyncio.Task[None]] = None
        self.events: list[tuple[float, dict[str, Any]]] = []
        self.changed = asyncio.Condition()

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=_LINE_BYTES_MAX,
            )
        self._reading = asyncio.create_task(self._read())

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        if self._reading is not None:
            await asyncio.gather(self._reading, return_exceptions=True)

    def ask(self, question: dict[str, Any]) -> asyncio.Future[Any]:
        """The answer to come: {"ok": ...} or {"error": ...}."""
        assert self._process is not None and self._process.stdin is not None
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        line = json.dumps({**question, "id": number}) + "\n"
        self._process.stdin.write(line.encode())
        return answer

    def signal(self, name: str) -> None:
        assert self._process is not None
        os.kill(self._process.pid, getattr(signal, f"SIG{name}"))

    async def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        while line := await self._process.stdout.readline():
            told = json.loads(line)
            if "id" in told:
                answer = self._asked.pop(told.pop("id"))
                if not answer.done():
                    answer.set_result(told)
                continue
            self.events.append((asyncio.get_running_loop().time(), told))
            async with self.changed:
                self.changed.notify_all()
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(RuntimeError(f"the driver ended: {self._log.read_text()}"))
