"""A fencegate with TLS and keys of its own, and a Prometheus that scrapes it: real programs on free
ports in a folder of their own. Nothing sleeps blindly: what is waited for is looked at, with a
deadline. REQUIRES: one thread starts and stops; both are context managers."""

import http.client
import json
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import time
import urllib.parse
import urllib.request

GRAFANA = pathlib.Path(__file__).resolve().parents[2] / "grafana"

# Short TTLs, so that leases expire in seconds; a class whose line is full at the second waiter.
CONFIGURATION = """
metrics.anonymous = false
drain_timeout = "20s"
[class.payments]
ttl_default = "2s"
[class.cron]
ttl_default = "1s"
waiters_per_lock_max = 1
[class.elections]
ttl_default = "1s"
late_writes = "accept"
"""


def wait_until(what, look, seconds=30):
    """The first true value of look(); fails with `what` once the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = look()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


class Gateway:
    def __init__(self, program, folder):
        self.program, self.folder = program, pathlib.Path(folder)
        self.data = self.folder / "data"
        self.log = open(self.folder / "gateway.log", "ab")
        (self.folder / "gateway.toml").write_text(CONFIGURATION)
        self.process, self.public, self.admin = None, "127.0.0.1:0", "127.0.0.1:0"

    def start(self):
        ready = self.folder / "ready.json"
        ready.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [self.program, "serve", "--config", self.folder / "gateway.toml", "--data-dir", self.data,
             "--listen", self.public, "--admin-listen", self.admin, "--ready-file", ready,
             "--access-log", "off"], stdout=self.log, stderr=self.log)

        def addresses():
            assert self.process.poll() is None, (self.folder / "gateway.log").read_text()
            return ready.exists() and ready.read_text().endswith("}\n") and json.loads(ready.read_text())
        came = wait_until("the gateway is ready", addresses)
        self.public, self.admin = came["listen"], came["admin_listen"]

    def add_key(self, principal, *scopes):
        """A key, in force after reload()."""
        arguments = [word for scope in scopes for word in ("--scope", scope)]
        added = subprocess.run([self.program, "key", "add", "--data-dir", self.data, "--principal",
                                principal, *arguments], check=True, capture_output=True, text=True)
        return added.stdout.strip()

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def begin_drain(self):
        self.process.send_signal(signal.SIGTERM)

    def await_end(self):
        assert self.process.wait(timeout=30) == 0, "the gateway did not drain"

    def client(self, key, address=None):
        return Client(address or self.public, self.data / "ca.pem", key)

    def key(self):
        """The first key, with every scope."""
        return (self.data / "api-key").read_text().strip()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Client:
    """One kept-alive connection. A lost one is opened again by the next call."""

    def __init__(self, address, ca, key):
        self.address, self.key = address, key
        self.context = ssl.create_default_context(cafile=ca)
        self.connection = None

    def call(self, method, path, body=None, **headers):
        """(status, JSON or text). Header names are written with underscores."""
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(self.address, timeout=30,
                                                          context=self.context)
        fields = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        if self.key:
            fields["Authorization"] = f"Bearer {self.key}"
        if body is not None:
            fields["Content-Type"] = "application/json"
        try:
            self.connection.request(method, path, json.dumps(body) if body is not None else None,
                                    fields)
            reply = self.connection.getresponse()
            text = reply.read().decode()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        is_json = "json" in (reply.getheader("Content-Type") or "")
        return reply.status, json.loads(text) if is_json else text

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def __del__(self):
        self.close()


class Prometheus:
    """Runs the scrape configuration that is shipped, with other ports, paths and intervals."""

    def __init__(self, gateway, metrics_key, folder, scrape_interval="500ms"):
        self.folder = pathlib.Path(folder) / "prometheus"
        self.folder.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = "127.0.0.1:%d" % free.getsockname()[1]
        (self.folder / "key").write_text(metrics_key)
        (self.folder / "prometheus.yml").write_text(
            self._configuration(gateway, scrape_interval))
        self.log = open(self.folder / "log", "wb")
        self.process = None

    def _configuration(self, gateway, scrape_interval):
        text = (GRAFANA / "prometheus" / "prometheus.yml").read_text()
        for pattern, ours in (
                (r"_interval: 15s", f"_interval: {scrape_interval}"),
                (r"- (\w+\.yml)", rf"- {GRAFANA}/prometheus/\1"),
                (r"ca_file: .*", f"ca_file: {gateway.data}/ca.pem"),
                (r"# (authorization:|  type: Bearer)", r"\1"),
                (r"#   (credentials_file: ).*", rf"  \1{self.folder}/key"),
                (r"127\.0\.0\.1:9443", gateway.admin)):
            text, count = re.subn(pattern, ours, text)
            assert count, f"prometheus.yml has no {pattern}"
        # Another program in the same Prometheus: the dashboard must not mistake it for a gateway.
        return text + (f"  - job_name: prometheus\n    static_configs:\n"
                       f"      - targets: [\"{self.address}\"]\n")

    def get(self, path, **parameters):
        """The data of an answer; fails with Prometheus's own words."""
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"http://{self.address}/api/v1/{path}?{query}",
                                        timeout=30) as reply:
                return json.load(reply)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None

    def value(self, expression):
        """The sum of an instant query; 0 without a series."""
        return sum(float(row["value"][1]) for row in self.get("query", query=expression)["result"])

    def is_ready(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            return urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=5).status == 200
        except OSError:
            return False

    def __enter__(self):
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={self.folder}/prometheus.yml",
             f"--storage.tsdb.path={self.folder}/data", f"--web.listen-address={self.address}",
             "--log.level=warn"], stdout=self.log, stderr=self.log)
        wait_until("Prometheus is ready", self.is_ready)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()
