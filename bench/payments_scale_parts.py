"""The parts of payments_scale.py: stores that are filled, gateways on them, readers of pages and
statements. REQUIRES: Linux, for /proc and for taking a file out of the page cache."""

import csv
import datetime
import http.client
import json
import os
import pathlib
import signal
import ssl
import subprocess
import time
import typing

CLIENTS = 32
CHUNK = 1 << 20


class Moments(typing.NamedTuple):
    """When half of the payments were made, and a tenth more: about `from` and `to` for the API."""
    middle: str
    behind_middle: str


def fill(build, folder, payments):
    """Makes the store unless an earlier run did. Returns its Moments."""
    times = folder.with_name(folder.name + ".times")
    if not times.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = subprocess.run([build / "fencegate_bench_fill_payments", folder, str(payments)],
                              check=True, stdout=subprocess.PIPE, text=True)
        times.write_text(made.stdout)
    lines = [line.split() for line in times.read_text().splitlines()]
    assert int(lines[-1][0]) == payments, f"{folder} holds {lines[-1][0]} payments: remove it"
    middle, behind = lines[len(lines) // 2 - 1][1], lines[len(lines) // 2][1]
    # A time is told in whole seconds and was cut off.
    behind = datetime.datetime.fromisoformat(behind.removesuffix("Z")) + datetime.timedelta(seconds=1)
    return Moments(middle, behind.isoformat() + "Z")


class Gateway:
    """A gateway on a filled store; a context manager."""

    def __init__(self, build, data, payments):
        self.build, self.data, self.payments = build, pathlib.Path(data), payments
        self.process, self.address, self.start_seconds = None, None, 0.0

    def start(self):
        ready = self.data.with_name(self.data.name + ".ready")
        ready.unlink(missing_ok=True)
        began = time.monotonic()
        with open(self.data.with_name(self.data.name + ".log"), "ab") as log:
            self.process = subprocess.Popen(
                [self.build / "fencegate", "serve", "--data-dir", self.data,
                 "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
                 "--ready-file", ready, "--access-log", "off"], stdout=log, stderr=log)
        while not (ready.exists() and ready.read_text().endswith("}\n")):
            assert self.process.poll() is None, f"the gateway ended; see {log.name}"
            assert time.monotonic() < began + 120, f"the gateway is not ready; see {log.name}"
            time.sleep(0.02)
        self.start_seconds = time.monotonic() - began
        self.address = json.loads(ready.read_text())["listen"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=120) == 0, "the gateway did not drain"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()

    def refunds(self, seconds, rate, warmup=2):
        """One run of the client; a rate of 0 is a closed loop. Its JSON."""
        host, port = self.address.rsplit(":", 1)
        pace = ["--open-loop", str(rate)] if rate else []
        run = subprocess.run(
            [self.build / "fencegate_bench_critical_section", "--host", host, "--port", port,
             "--ca", self.data / "ca.pem", "--key-file", self.data / "api-key", "--existing",
             "--payments", str(self.payments), "--clients", str(CLIENTS), "--warmup", str(warmup),
             "--seconds", str(seconds), "--server-pid", str(self.process.pid), "--json", *pace],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        assert run.returncode == 0, run.stderr + run.stdout
        return json.loads(run.stdout)

    def request(self, path):
        """(connection, reply) of a GET that was answered 200. The body is the caller's to read."""
        context = ssl.create_default_context(cafile=self.data / "ca.pem")
        connection = http.client.HTTPSConnection(self.address, timeout=60, context=context)
        return connection, self.ask_again(connection, path)

    def ask_again(self, connection, path):
        key = (self.data / "api-key").read_text().strip()
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        reply = connection.getresponse()
        assert reply.status == 200, f"{path}: {reply.status} {reply.read(500)}"
        return reply

    def memory_kb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        fields = (line.split() for line in status.splitlines())
        return {words[0].rstrip(":"): int(words[1]) for words in fields
                if words[0] in ("VmRSS:", "VmHWM:")}

    def forget_peak(self):
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def forget_file(self):
        """Takes the store, which nobody has open, out of the kernel's page cache."""
        with open(self.data / "store.db", "rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def pages_of(gateway, query, count):
    """Walks `count` pages by their cursors. The seconds each took, and how many rows they had."""
    path = f"/v1/payments?limit=100{query}"
    connection, reply = gateway.request(path)
    reply.read()
    seconds, rows, cursor = [], 0, ""
    while len(seconds) < count:
        began = time.monotonic()
        page = json.loads(gateway.ask_again(connection, path + cursor).read())
        seconds.append(time.monotonic() - began)
        rows += len(page["data"])
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
    connection.close()
    return seconds, rows


class StatementReader:
    """Reads a statement as CSV and keeps none of it but its last line."""

    def __init__(self, gateway, query):
        self.gateway, self.path = gateway, f"/v1/ledger/statement?{query}"

    def read_whole(self):
        """(lines told by the closing line, bytes, seconds). Fails if it is not whole."""
        began = time.monotonic()
        connection, reply = self.gateway.request(self.path)
        size, line_ends, tail = 0, 0, b""
        while chunk := reply.read(CHUNK):
            size += len(chunk)
            line_ends += chunk.count(b"\n")
            tail = (tail + chunk)[-4096:]
        seconds = time.monotonic() - began
        connection.close()
        closing = next(csv.reader([tail.decode().splitlines()[-1]]))
        assert closing[0] == "closing", "the statement was cut off"
        lines = int(closing[-1])
        assert line_ends == lines + 3, f"{line_ends} lines came, and the closing one says {lines}"
        return lines, size, seconds

    def read_until(self, over):
        """Reads on, from the beginning again where it ends, until `over` is set."""
        while not over.is_set():
            connection, reply = self.gateway.request(self.path)
            while not over.is_set() and reply.read(CHUNK):
                pass
            connection.close()
