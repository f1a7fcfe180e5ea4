"""What each method asks: requests and wishes, made from arguments. Nothing here sends.

Fails with: ValueError for what no gateway would take, before anything is sent.
Thread rule: pure functions.
"""

from __future__ import annotations

import os
import socket
from datetime import datetime, timezone
from typing import Any, Iterable, Mapping, Optional, Union

from ._acquire import Wish
from ._wire import Request, idempotency_key, lock_name, segment, uuid7

Object = Mapping[str, Any]


def default_owner() -> str:
    """Who a holder is to people that look at a line: the host, the process, and a part by chance."""
    host = "".join(c for c in socket.gethostname() if c.isascii() and c.isprintable())
    return f"{host[:80]}:{os.getpid()}:{uuid7()[-6:]}"


def _ms(seconds: float, what: str) -> int:
    if not seconds > 0:
        raise ValueError(f"{what} is a number of seconds above 0")
    return round(seconds * 1000)


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def lock_wish(
    names: Iterable[str],
    *,
    several: bool,
    ttl: float,
    wait: Optional[float],
    owner: str,
    shared: bool = False,
    permits: Optional[int] = None,
    metadata: Optional[Object] = None,
) -> Wish:
    locks = [lock_name(name) for name in names]
    mode = "semaphore" if permits is not None else "shared" if shared else None
    body = _given(
        ttl_ms=_ms(ttl, "ttl"), owner=owner, mode=mode, permits=permits, metadata=metadata
    )
    if several:
        return Wish("/v1/leases", {**body, "locks": locks}, wait)
    return Wish(f"/v1/locks/{locks[0]}", body, wait)


def election_wish(
    name: str,
    *,
    value: Optional[Object],
    ttl: float,
    wait: Optional[float],
    owner: str,
    locks: Iterable[str],
) -> Wish:
    also = [lock_name(lock) for lock in locks] or None
    body = _given(ttl_ms=_ms(ttl, "ttl"), owner=owner, value=value, locks=also)
    return Wish(f"/v1/elections/{segment(name, 'an election')}", body, wait)


def proclamation(name: str, value: Object) -> Request:
    headers = {"Idempotency-Key": uuid7()}  # for its own retries only
    return Request("PUT", f"/v1/elections/{segment(name, 'an election')}", {"value": value}, headers)


def slot_of(slot: Union[str, datetime]) -> str:
    if isinstance(slot, str):
        return segment(slot, "a slot")
    if slot.tzinfo is None or slot.microsecond:
        raise ValueError("a slot has a time zone and whole seconds")
    return slot.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def run_path(job: str, slot: Union[str, datetime]) -> str:
    return f"/v1/runs/{segment(job, 'a job')}/{slot_of(slot)}"


def run_wish(
    path: str,
    *,
    ttl: float,
    wait: Optional[float],
    owner: str,
    locks: Iterable[str],
    start_within: Optional[float],
) -> Wish:
    within = None if start_within is None else _ms(start_within, "start_within")
    also = [lock_name(lock) for lock in locks] or None
    body = _given(ttl_ms=_ms(ttl, "ttl"), owner=owner, locks=also, start_within_ms=within)
    return Wish(path, body, wait)


def run_end(path: str, how: str, result: Optional[str]) -> Request:
    kept = None if result is None else result.encode()[:1024].decode(errors="ignore")
    return Request("POST", f"{path}/{how}", _given(result=kept))


def create_payment(
    amount: int,
    currency: str,
    key: str,
    *,
    id: Optional[str],
    capture: bool,
    reference: Optional[str],
    metadata: Optional[Object],
) -> Request:
    if id is not None:
        segment(id, "a payment id")
    body = _given(
        amount=amount, currency=currency, id=id, reference=reference, metadata=metadata
    )
    if not capture:
        body["capture"] = False
    return Request("POST", "/v1/payments", body, {"Idempotency-Key": idempotency_key(key)})


def payment_lock(payment: str) -> str:
    return f"payments/{segment(payment, 'a payment id')}"


def move_payment(
    payment: str,
    what: str,
    key: str,
    *,
    amount: Optional[int] = None,
    reason: Optional[str] = None,
    if_version: Optional[int] = None,
) -> Request:
    headers = {"Idempotency-Key": idempotency_key(key)}
    if if_version is not None:
        headers["If-Match"] = f'"{if_version}"'
    return Request(
        "POST", f"/v1/{payment_lock(payment)}/{what}", _given(amount=amount, reason=reason), headers
    )


def get_payment(payment: str) -> Request:
    return Request("GET", f"/v1/{payment_lock(payment)}")


def get_lock(name: str) -> Request:
    return Request("GET", f"/v1/locks/{lock_name(name)}")


def verify_token(lock: str, token: int) -> Request:
    return Request("GET", f"/v1/fence/verify?lock={lock_name(lock)}&token={token:d}")


def watch_path(prefix: Optional[str], lock: Optional[str]) -> str:
    if lock is not None and prefix is not None:
        raise ValueError("watch one lock or a prefix")
    if lock is not None:
        return f"/v1/watch?lock={lock_name(lock)}"
    if prefix:
        lock_name(prefix.rstrip("/") or "/")
        return f"/v1/watch?prefix={prefix}"
    return "/v1/watch"
