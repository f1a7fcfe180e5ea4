#!/usr/bin/env python3
"""Runs the scenarios against a driver:
    run.py --fencegate PROGRAM [--only NAME]... [--jobs N] -- DRIVER [ARGUMENT]...
Every scenario has a gateway, a proxy and a driver of its own, and a folder that is kept if it fails.
The last line is "N passed, N failed"; exit code 0 means none failed. A scenario that needs what the
driver says it cannot do (README.md) is told as not applicable.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Sequence

from driver import Driver
from gateway import Gateway
from proxy import Proxy
from scenario import Failed, Scenario, server_tls

_HERE = Path(__file__).resolve().parent


def make_ca(folder: Path) -> None:
    """ca.pem, and a certificate of it for the proxy: proxy.pem, proxy.key."""
    extensions = folder / "extensions"
    extensions.write_text("subjectAltName=IP:127.0.0.1\nauthorityKeyIdentifier=keyid\n")
    new = "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    for command in (
        f"{new} -x509 -days 2 -subj /CN=conformance -keyout ca.key -out ca.pem"
        " -addext keyUsage=critical,keyCertSign",  # Python 3.13 insists
        f"{new} -subj /CN=proxy -keyout proxy.key -out proxy.csr",
        "x509 -req -in proxy.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
        " -extfile extensions -out proxy.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)


async def run_scenario(
    path: Path, steps: Sequence[dict[str, Any]], ca: Path, program: Path, command: Sequence[str]
) -> None:
    """Fails with: Failed."""
    folder = Path(tempfile.mkdtemp(prefix=f"{path.stem}-"))
    gateway = Gateway(program, folder)
    driver = Driver(command, folder / "driver.log")
    proxy = None
    try:
        await gateway.start()
        proxy = Proxy(server_tls(ca / "proxy.pem", ca / "proxy.key"), gateway.tls, gateway.port)
        await proxy.start()
        await driver.start()
        await Scenario(gateway, proxy, driver, ca / "ca.pem").run(steps)
    except Failed as error:
        log = (folder / "driver.log").read_text()[-2000:]
        raise Failed(f"{error}\n  kept in {folder}\n{log}") from error
    finally:
        await driver.stop()
        if proxy is not None:
            await proxy.stop()
        await gateway.stop()
    shutil.rmtree(folder)


async def abilities(command: Sequence[str], folder: Path) -> set[str]:
    driver = Driver(command, folder / "driver.log")
    await driver.start()
    try:
        return set((await driver.ask({"do": "hello"}))["ok"]["can"])
    finally:
        await driver.stop()


async def run_all(options: argparse.Namespace, ca: Path) -> int:
    can = await abilities(options.driver, ca)
    at_once = asyncio.Semaphore(options.jobs)
    results: list[bool] = []

    async def one(path: Path) -> None:
        told = json.loads(path.read_text())
        lacking = set(told.get("needs", [])) - can
        if lacking:
            print(f"not applicable: {path.stem} needs {', '.join(sorted(lacking))}", flush=True)
            return
        async with at_once:
            began = time.monotonic()
            try:
                await run_scenario(path, told["steps"], ca, options.fencegate, options.driver)
                verdict = "ok"
            except Exception as error:  # whatever went wrong, the others are still to be run
                verdict = f"FAILED: {told['claim']}\n  {error!r}"
            results.append(verdict == "ok")
            print(f"{path.stem}: {verdict} ({time.monotonic() - began:.1f} s)", flush=True)

    paths = [path for path in sorted((_HERE / "scenarios").glob("*.json")) if wanted(path, options)]
    alone = [path for path in paths if json.loads(path.read_text()).get("alone")]
    await asyncio.gather(*(one(path) for path in paths if path not in alone))
    for path in alone:  # of which the machine may have no time to spare
        await one(path)
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if results and all(results) else 1


def wanted(path: Path, options: argparse.Namespace) -> bool:
    return not options.only or path.stem in options.only


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--fencegate", type=Path, required=True)
    parser.add_argument("--only", action="append")
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("driver", nargs="+")
    options = parser.parse_args()
    options.fencegate = options.fencegate.resolve()
    with tempfile.TemporaryDirectory() as ca:
        make_ca(Path(ca))
        return asyncio.run(run_all(options, Path(ca)))


if __name__ == "__main__":
    sys.exit(main())
