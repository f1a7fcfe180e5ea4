"""One scenario: a gateway, a proxy, a driver, and the steps that a file lists. README.md has the words.

Owns: what each step means. Every wait has an end and waits for something to happen, not for time.
Thread rule: one asyncio loop.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any, Awaitable, Callable, Sequence

from driver import Driver
from gateway import Gateway
from match import covers, fill_in
from proxy import Asked, Fault, Proxy, matches

_PATIENCE = 30.0


class Failed(Exception):
    """A step did not go as its scenario says."""


class Scenario:
    def __init__(
        self, gateway: Gateway, proxy: Proxy, driver: Driver, proxy_ca: Path
    ) -> None:
        self._gateway = gateway
        self._proxy = proxy
        self._driver = driver
        self._proxy_ca = proxy_ca
        self._kept: dict[str, Any] = {}
        self._later: dict[str, asyncio.Future[Any]] = {}
        self._mark = 0

    async def run(self, steps: Sequence[dict[str, Any]]) -> None:
        """Fails with: Failed, naming the step."""
        await self.open({})
        for number, step in enumerate(steps, 1):
            try:
                await asyncio.wait_for(self._step(fill_in(step, self._kept)), _PATIENCE)
            except (Failed, asyncio.TimeoutError, KeyError, RuntimeError, OSError) as error:
                what = "took too long" if isinstance(error, asyncio.TimeoutError) else repr(error)
                log = [asked.route for asked in self._proxy.log][-12:]
                raise Failed(f"step {number} {json.dumps(step)}: {what}; asked last: {log}") from error

    async def _step(self, step: dict[str, Any]) -> None:
        kind = next(iter(step))
        method: Callable[[dict[str, Any]], Awaitable[None]] = getattr(self, kind)
        await method(step)

    async def open(self, step: dict[str, Any]) -> None:
        """Makes the driver's client; "ca": "gateway" trusts the wrong one for what it reaches."""
        ca = self._gateway.ca if step.get("ca") == "gateway" else self._proxy_ca
        question = {
            "do": "open",
            "url": f"https://127.0.0.1:{self._proxy.port}",
            "ca": str(ca),
            "key": self._gateway.driver_key,
            "timeout_ms": step.get("timeout_ms", 10_000),
        }
        self._expect(await self._driver.ask(question), {"ok": {}})

    async def driver(self, step: dict[str, Any]) -> None:
        answer = self._driver.ask(step["driver"])
        if "later" in step:
            self._later[step["later"]] = answer
            return
        self._answered(step, await answer)

    async def answer_of(self, step: dict[str, Any]) -> None:
        self._answered(step, await self._later.pop(step["answer_of"]))

    async def fault(self, step: dict[str, Any]) -> None:
        self._proxy.faults.append(Fault(**step["fault"]))

    async def outage(self, step: dict[str, Any]) -> None:
        """refuse, silence, or over."""
        await self._proxy.set_outage(None if step["outage"] == "over" else step["outage"])

    async def cut(self, step: dict[str, Any]) -> None:
        self._proxy.cut()

    async def mark(self, step: dict[str, Any]) -> None:
        """From here on the requests are counted anew."""
        self._mark = len(self._proxy.log)

    async def until_requests(self, step: dict[str, Any]) -> None:
        wanted = step["until_requests"]
        async with self._proxy.changed:
            await self._proxy.changed.wait_for(
                lambda: bool(len(self._found(wanted["on"])) >= wanted["count"])
            )

    async def requests(self, step: dict[str, Any]) -> None:
        """count, same: a header equal in all, connections_at_most, not_before_ms: between the first two."""
        wanted = step["requests"]
        found = self._found(wanted["on"])
        if "count" in wanted:
            self._expect(len(found), wanted["count"])
        if "same" in wanted:
            values = {asked.headers.get(wanted["same"]) for asked in found}
            self._expect([len(values), None in values], [1, False])
        if "differ" in wanted:
            values = {asked.headers.get(wanted["differ"]) for asked in found}
            self._expect(len(values), len(found))
        if "header" in wanted:
            for asked in found:
                self._expect(asked.headers, wanted["header"])
        if "connections_at_most" in wanted:
            used = {asked.connection for asked in found}
            self._expect(len(used), {"$below": wanted["connections_at_most"] + 1})
        if "not_before_ms" in wanted:
            self._expect((found[1].at - found[0].at) * 1000, {"$above": wanted["not_before_ms"] - 1})

    async def gateway(self, step: dict[str, Any]) -> None:
        """Asked past the proxy, by another principal."""
        answer = await self._gateway.call(step["gateway"], step.get("body"), step.get("headers"))
        self._keep(step, answer["body"])
        self._expect(answer, step.get("expect", {"status": {"$below": 300}}))

    async def until_gateway(self, step: dict[str, Any]) -> None:
        while True:
            answer = await self._gateway.call(step["until_gateway"])
            if covers(answer, step["expect"]):
                return
            await asyncio.sleep(0.02)

    async def restart_gateway(self, step: dict[str, Any]) -> None:
        await self._gateway.kill_and_start()

    async def revoke_key(self, step: dict[str, Any]) -> None:
        await self._gateway.revoke_driver_key()

    async def signal(self, step: dict[str, Any]) -> None:
        self._driver.signal(step["signal"])

    async def event(self, step: dict[str, Any]) -> None:
        def came() -> bool:
            return any(covers(event, step["event"]) for _, event in self._driver.events)

        async with self._driver.changed:
            await self._driver.changed.wait_for(came)

    async def order(self, step: dict[str, Any]) -> None:
        """The event came, and the first such request not before it. Pipes and sockets are read in
        any order within one turn of the loop, which the allowance is for."""
        event, on = step["order"]["event"], step["order"]["then"]
        told = next(at for at, found in self._driver.events if covers(found, event))
        asked = self._found(on)
        if not asked or asked[0].at < told - 0.05:
            raise Failed(f"{on} came before {event}, or never")

    def _found(self, on: str) -> list[Asked]:
        return [asked for asked in self._proxy.log[self._mark :] if matches(on, asked.route)]

    def _answered(self, step: dict[str, Any], answer: Any) -> None:
        self._keep(step, answer.get("ok"))
        self._expect(answer, step.get("expect", {"ok": {}}))

    def _keep(self, step: dict[str, Any], value: Any) -> None:
        if "as" in step:
            self._kept[step["as"]] = value

    @staticmethod
    def _expect(came: Any, wanted: Any) -> None:
        if not covers(came, wanted):
            raise Failed(f"expected {json.dumps(wanted)}, came {json.dumps(came)[:800]}")


def server_tls(certificate: Path, key: Path) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    return tls
