"""What the gateway answers, for type checkers: plain dictionaries at run time. docs/api.md is the source."""

from __future__ import annotations

from typing import Any, List, Mapping, Optional, TypedDict, Union

Metadata = Mapping[str, Union[str, int, bool, None]]


class Payment(TypedDict, total=False):
    id: str
    status: str
    amount: int
    currency: str
    amount_capturable: int
    amount_captured: int
    amount_refunded: int
    amount_refundable: int
    reference: str
    created_at: str
    version: int
    metadata: Metadata


class Refund(TypedDict, total=False):
    id: str
    payment: str
    amount: int
    currency: str
    reason: str
    fencing_token: int
    created_at: str
    payment_status: str
    amount_refunded: int
    amount_refundable: int


class LockState(TypedDict, total=False):
    lock: str
    state: str
    waiters: int
    waiters_away: int
    mode: str
    permits: int
    holder_count: int
    holder: Mapping[str, Any]
    holders: List[Mapping[str, Any]]
    line: List[Mapping[str, Any]]
    rests_for_ms: int


class Verdict(TypedDict, total=False):
    lock: str
    fencing_token: int
    live: bool
    state: str
    current_token: Optional[int]
    lease: Mapping[str, Any]


class RunState(TypedDict, total=False):
    job: str
    slot: str
    state: str
    attempts: int
    fencing_token: int
    claimed_at: str
    ended_at: str
    result: str
