#!/usr/bin/env python3
"""A storm before the eyes of a real Prometheus.

    FENCEGATE=path/to/fencegate tests/grafana/live.py [--seconds N] [--scrape 1s] [-- COMMAND...]

Runs the storm that long, with a restart in the middle, and then COMMAND with PROMETHEUS, START and
END (its address, and the seconds of the storm) in its environment; without one it waits for Enter.
"""

import argparse
import contextlib
import os
import subprocess
import tempfile
import time

from processes import Gateway, Prometheus, wait_until
from storm import Storm


class Live:
    """What ran, for whoever asks Prometheus about it. Owns both processes until it is closed."""

    def __init__(self, gateway, prometheus, storm):
        self.gateway, self.prometheus, self.storm = gateway, prometheus, storm
        self.start = time.time()

    def shown_seconds(self):
        return int(time.time() - self.start) + 1

    def await_scraped(self, what, expression, seconds=30):
        wait_until(what, lambda: self.prometheus.value(expression) > 0, seconds)

    def blow(self, seconds):
        """Storm, a backup, a verification, a refused and a good reload, a drain that lasts, a restart, storm."""
        self.storm.run(seconds / 2)
        self.back_up()
        self.verify()
        self.refuse_reload()
        self.restart()
        self.storm.run(seconds / 2)
        now = time.time()
        self.await_scraped("the end of the storm is scraped",
                           f'timestamp(up{{job="fencegate"}} == 1) > {now}')

    def back_up(self):
        admin = self.gateway.client(self.gateway.key(), self.gateway.admin)
        status, answer = admin.call("POST", "/backups")
        assert status == 202, (status, answer)
        self.await_scraped("the backup is scraped",
                           'fencegate_store_backups_total{result="ok"} == 1')

    def verify(self):
        admin = self.gateway.client(self.gateway.key(), self.gateway.admin)
        status, answer = admin.call("POST", "/verify")
        assert status == 202, (status, answer)
        self.await_scraped("the verification is scraped",
                           'fencegate_store_last_verification_timestamp_seconds{result="sound"} > bool 0')

    def refuse_reload(self):
        make_good = self.storm.refused_reload()
        self.await_scraped("a refused reload is scraped",
                           "fencegate_config_last_reload_successful == bool 0")
        make_good()
        self.await_scraped("a good reload is scraped",
                           "fencegate_config_last_reload_successful == 1")

    def restart(self):
        watcher = self.storm.watcher(self.storm.client("worker-a"))
        with self.storm.half_a_request():
            self.gateway.begin_drain()
            self.await_scraped("the drain is scraped", "fencegate_draining == 1")
        watcher.close()
        self.gateway.await_end()
        self.await_scraped("the gateway is seen down", 'up{job="fencegate"} == bool 0')
        self.gateway.start()
        self.await_scraped("the gateway is seen up", 'up{job="fencegate"} == 1')


@contextlib.contextmanager
def live(program, scrape_interval="500ms"):
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="fencegate-grafana-"))
        gateway = stack.enter_context(Gateway(program, folder))
        metrics_key = gateway.add_key("prometheus", "metrics:read")
        storm = Storm(gateway)
        gateway.reload()
        with_key = gateway.client(metrics_key, gateway.admin)
        wait_until("the keys are in force", lambda: with_key.call("GET", "/metrics")[0] == 200)
        prometheus = stack.enter_context(
            Prometheus(gateway, metrics_key, folder, scrape_interval))
        yield Live(gateway, prometheus, storm)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--scrape", default="1s")
    parser.add_argument("command", nargs="*")
    options = parser.parse_args()
    with live(os.environ["FENCEGATE"], options.scrape) as running:
        running.await_scraped("the gateway is up", 'up{job="fencegate"}')
        running.blow(options.seconds)
        print(f"http://{running.prometheus.address}", flush=True)
        if not options.command:
            input("Enter ends it. ")
            return 0
        environment = {**os.environ, "PROMETHEUS": f"http://{running.prometheus.address}",
                       "START": str(running.start), "END": str(time.time())}
        return subprocess.run(options.command, env=environment, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
