"""A storm over a gateway: what goes wrong with locks and payments, done on purpose, over HTTPS.

Owns: what clients do. Refuses to own: processes, and what is expected of the metrics. Every mishap
checks its own answers, so that a storm that went by without one is a failure and not a calm graph.
"""

import http.client
import itertools
import os
import random
import socket
import ssl
import threading
import time

from processes import wait_until


class Storm:
    """REQUIRES: a started gateway. Threads: run() makes its own; nothing else may be called then."""

    def __init__(self, gateway, seed=1):
        self.gateway = gateway
        self.random = random.Random(seed)
        self.numbers = itertools.count(1)
        self.keys = {name: gateway.add_key(name, "locks:read", "locks:write", "payments:read",
                                           "payments:write") for name in ("worker-a", "worker-b")}
        self.failures = []

    def client(self, name):
        return self.gateway.client(self.keys.get(name) or self.gateway.key())

    def name(self, stem):
        return f"{stem}_{os.getpid()}_{next(self.numbers)}"

    # -- the usual: workers refund under locks they want at the same time

    def run(self, seconds, workers=6):
        """Workers and mishaps side by side. Fails if any got an answer that cannot be."""
        until = time.monotonic() + seconds
        threads = [threading.Thread(target=self._guarded, args=(self._work, until, at))
                   for at in range(workers)]
        threads.append(threading.Thread(target=self._guarded, args=(self._mishaps, until)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not self.failures, self.failures

    def _guarded(self, what, *arguments):
        try:
            what(*arguments)
        except (AssertionError, OSError, KeyError) as error:
            self.failures.append(f"{what.__name__}: {error!r}")

    def _work(self, until, number):
        dice = random.Random(number)
        client = self.client("worker-a")
        for at in range(4):
            payment = f"hot_{at}_{os.getpid()}"
            client.call("POST", "/v1/payments", {"id": payment, "amount": 10**9, "currency": "EUR"},
                        Idempotency_Key=f"create-{payment}")
        while time.monotonic() < until:
            payment = f"hot_{dice.randrange(4)}_{os.getpid()}"
            status, lease = client.call("POST", f"/v1/locks/payments/{payment}",
                                        {"owner": f"worker-{number}", "ttl_ms": 2000,
                                         "wait_ms": dice.choice((0, 300, 3000))})
            assert status in (201, 423), (status, lease)
            if status == 201:
                self._critical_section(client, payment, lease, dice)
            if dice.random() < 0.2:
                tick = self.grant(client, f"cron/{self.name('tick')}")
                client.call("DELETE", f'/v1/leases/{tick["lease_id"]}')
            time.sleep(dice.expovariate(20))  # a worker's own work

    def _critical_section(self, client, payment, lease, dice):
        token, key = lease["fencing_token"], self.name("key")
        body = {"amount": dice.randrange(1, 100)}
        for _ in range(1 + (dice.random() < 0.2)):  # the second one is a replay
            status, answer = client.call("POST", f"/v1/payments/{payment}/refunds", body,
                                         X_Fence_Token=token, Idempotency_Key=key)
            assert status == 201, (status, answer)
        # The work that the lock guards; now and then it takes almost the whole TTL.
        time.sleep(dice.uniform(0.5, 1.9) if dice.random() < 0.06 else dice.expovariate(30))
        lease_path = f'/v1/leases/{lease["lease_id"]}'
        if dice.random() < 0.3:
            client.call("POST", f"{lease_path}/renew", {})
        status, answer = client.call("DELETE", lease_path)
        assert status in (204, 410), (status, answer)

    # -- mishaps

    def _mishaps(self, until):
        mishaps = [self.stale_write, self.expired_write, self.released_write, self.broken_write,
                   self.misused_tokens, self.reused_key, self.full_line, self.late_proclaim,
                   self.last_moment, self.deadlock, self.watch_and_leave, self.distrust,
                   self.cancelled_payment]
        while True:
            for mishap in mishaps:
                mishap()
            if time.monotonic() > until:
                return

    def grant(self, client, lock, **body):
        status, lease = client.call("POST", f"/v1/locks/{lock}", body)
        assert status == 201, (status, lease)
        return lease

    def payment(self, client, **more):
        payment = self.name("pay")
        status, answer = client.call("POST", "/v1/payments",
                                     {"id": payment, "amount": 5000, "currency": "EUR", **more},
                                     Idempotency_Key=self.name("create"))
        assert status == 201, (status, answer)
        return payment

    def refund(self, client, payment, token, key=None, amount=1):
        headers = {} if token is None else {"X_Fence_Token": token}
        status, answer = client.call("POST", f"/v1/payments/{payment}/refunds", {"amount": amount},
                                     Idempotency_Key=key or self.name("refund"), **headers)
        return status, answer.get("code")

    def await_end(self, client, lease):
        wait_until("the lease ends", lambda: client.call(
            "GET", f'/v1/leases/{lease["lease_id"]}')[1]["state"] != "live")

    def stale_write(self):
        """A stalls past its lease, B takes over, A writes."""
        a, b = self.client("worker-a"), self.client("worker-b")
        payment = self.payment(a)
        old = self.grant(a, f"payments/{payment}", owner="a", ttl_ms=200)
        self.grant(b, f"payments/{payment}", owner="b", ttl_ms=500, wait_ms=5000)
        for _ in range(3):
            time.sleep(self.random.expovariate(5))  # it stays paused
            came = self.refund(a, payment, old["fencing_token"])
            assert came == (412, "fence_token_stale"), came

    def expired_write(self):
        a = self.client("worker-a")
        payment = self.payment(a)
        lease = self.grant(a, f"payments/{payment}", ttl_ms=100)
        self.await_end(a, lease)
        came = self.refund(a, payment, lease["fencing_token"])
        assert came == (412, "lease_expired"), came
        path = f'/v1/leases/{lease["lease_id"]}'
        for method, target in (("POST", f"{path}/renew"), ("DELETE", path)):
            status, answer = a.call(method, target, {} if method == "POST" else None)
            assert status == 410, (status, answer)

    def released_write(self):
        a = self.client("worker-a")
        payment = self.payment(a)
        lease = self.grant(a, f"payments/{payment}")
        a.call("DELETE", f'/v1/leases/{lease["lease_id"]}')
        came = self.refund(a, payment, lease["fencing_token"])
        assert came == (412, "lease_released"), came

    def broken_write(self):
        a, admin = self.client("worker-a"), self.client("admin")
        payment = self.payment(a)
        token = self.grant(a, f"payments/{payment}")["fencing_token"]
        status, _ = admin.call("DELETE", f"/v1/locks/payments/{payment}", {"reason": "storm"},
                               If_Fence_Token=token)
        assert status == 200, status
        came = self.refund(a, payment, token)
        assert came == (412, "lease_broken"), came

    def misused_tokens(self):
        a, b = self.client("worker-a"), self.client("worker-b")
        payment, other = self.payment(a), self.payment(a)
        token = self.grant(a, f"payments/{payment}")["fencing_token"]
        for client, target, presented, wanted in (
                (a, payment, None, (428, "fence_token_required")),
                (a, payment, "0", (400, "fence_token_malformed")),
                (a, payment, 2**52, (412, "fence_token_unknown")),
                (a, other, token, (412, "fence_lock_mismatch")),
                (b, payment, token, (403, "fence_not_holder"))):
            came = self.refund(client, target, presented)
            assert came == wanted, came

    def reused_key(self):
        a = self.client("worker-a")
        payment, key = self.payment(a), self.name("refund")
        token = self.grant(a, f"payments/{payment}")["fencing_token"]
        came = [self.refund(a, payment, token, key, amount) for amount in (1, 1, 2)]
        assert came == [(201, None), (201, None), (422, "idempotency_mismatch")], came
        came = self.refund(a, payment, token, amount=10**6)
        assert came == (422, "refund_exceeds_captured"), came

    def full_line(self):
        """One holds, one waits, and there is no room for a third."""
        lock, waiting = f"cron/{self.name('job')}", self.client("worker-a")
        self.grant(self.client("worker-a"), lock, ttl_ms=1000)
        waiter = threading.Thread(target=waiting.call, args=(
            "POST", f"/v1/locks/{lock}", {"wait_ms": 500}))
        waiter.start()
        third = self.client("worker-b")
        wait_until("one waits", lambda: third.call("GET", f"/v1/locks/{lock}")[1]["waiters"] == 1)
        status, answer = third.call("POST", f"/v1/locks/{lock}", {"wait_ms": 500})
        waiter.join()
        assert (status, answer["code"]) == (429, "queue_full"), (status, answer)

    def late_proclaim(self):
        a = self.client("worker-a")
        election = self.name("leader")
        status, lease = a.call("POST", f"/v1/elections/{election}", {"ttl_ms": 100})
        assert status == 201, lease
        self.await_end(a, lease)
        a.call("PUT", f"/v1/elections/{election}", {"value": {}},
               X_Fence_Token=lease["fencing_token"])

    def last_moment(self):
        """Renewed again and again when almost nothing of the TTL is left."""
        a = self.client("worker-a")
        lease = self.grant(a, f"cron/{self.name('job')}", ttl_ms=400)
        path = f'/v1/leases/{lease["lease_id"]}'
        for _ in range(4):
            wait_until("little is left", lambda: a.call("GET", path)[1].get("remaining_ms", 0) < 60)
            a.call("POST", f"{path}/renew", {"ttl_ms": 400})
        a.call("DELETE", path)

    def deadlock(self):
        """Two owners wait for each other's lock; a scrape or two later their leases run out."""
        pair = [(self.client("worker-a"), f"cron/{self.name('left')}"),
                (self.client("worker-b"), f"cron/{self.name('right')}")]
        for client, lock in pair:
            self.grant(client, lock, owner="deadlocked", ttl_ms=1500)
        waits = [threading.Thread(target=client.call, args=(
            "POST", f"/v1/locks/{lock}", {"owner": "deadlocked", "wait_ms": 3000}))
            for (client, _), (_, lock) in zip(pair, reversed(pair))]
        for wait in waits:
            wait.start()
        for wait in waits:
            wait.join()

    def watch_and_leave(self):
        client = self.client("worker-a")
        watcher = self.watcher(client)
        self.grant(client, f"cron/{self.name('seen')}", ttl_ms=100)
        watcher.close()

    def watcher(self, client):
        """A connection that follows every event, opened."""
        connection = http.client.HTTPSConnection(client.address, context=client.context, timeout=30)
        connection.request("GET", "/v1/watch", headers={"Authorization": f"Bearer {client.key}"})
        assert connection.getresponse().status == 200
        return connection

    def distrust(self):
        """A client that does not know our CA."""
        host, port = self.gateway.public.split(":")
        try:
            with socket.create_connection((host, int(port)), timeout=10) as plain:
                ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        except ssl.SSLError:
            return
        raise AssertionError("an unknown CA was trusted")

    def cancelled_payment(self):
        a = self.client("worker-a")
        for action, body in (("captures", {"amount": 1}), ("cancel", {})):
            payment = self.payment(a, capture=False)
            token = self.grant(a, f"payments/{payment}", ttl_ms=1000)["fencing_token"]
            status, answer = a.call("POST", f"/v1/payments/{payment}/{action}", body,
                                    X_Fence_Token=token, Idempotency_Key=self.name(action))
            assert status in (200, 201), (status, answer)

    # -- operations

    def half_a_request(self):
        """A request whose body is not complete: the gateway does not end before it."""
        client = self.client("worker-a")
        host, port = client.address.split(":")
        stream = client.context.wrap_socket(socket.create_connection((host, int(port))),
                                            server_hostname=host)
        stream.sendall((f"POST /v1/locks/cron/half HTTP/1.1\r\nHost: {client.address}\r\n"
                        f"Authorization: Bearer {client.key}\r\nContent-Type: application/json\r\n"
                        "Content-Length: 2\r\n\r\n{").encode())
        return stream

    def refused_reload(self):
        """SIGHUP with a key file that cannot be read, until `seen` says so, then with the good one."""
        keys = self.gateway.data / "keys.toml"
        good = keys.read_bytes()
        keys.write_bytes(b"not = [toml")
        self.gateway.reload()
        return lambda: (keys.write_bytes(good), self.gateway.reload())
