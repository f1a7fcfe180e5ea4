"""What can go wrong, one type for each thing that a caller does about it.

Every refusal of the gateway is a `Refused` with its stable `code`; docs/api.md has all of them.
Thread rule: plain values.
"""

from __future__ import annotations

from typing import Any, Mapping, Optional, Type


class FencegateError(Exception):
    """All errors of this package."""


class Unreachable(FencegateError):
    """No answer came, and whatever was asked has no effect: it was not sent, or was a read."""


class UntrustedGateway(FencegateError):
    """The server's certificate is not one of the CA that this client trusts. Nothing was sent."""


class OutcomeUnknown(FencegateError):
    """The write may have happened or not. Repeat it under the same key to learn which."""

    def __init__(self, message: str, idempotency_key: Optional[str] = None) -> None:
        super().__init__(message)
        self.idempotency_key = idempotency_key


class LeaseLost(FencegateError):
    """The lease is over, or too near its end to begin anything. Stop; never go on with its token.

    reason: the code of the answer that said so, or `deadline_passed` if no renewal was answered.
    ended: expired, superseded, released or broken, if that is known.
    """

    def __init__(self, locks: tuple[str, ...], token: int, reason: str, detail: str = "") -> None:
        super().__init__(f"the lease on {', '.join(locks)} is lost: {detail or reason}")
        self.locks = locks
        self.token = token
        self.reason = reason
        self.ended: Optional[str] = _ENDED.get(reason)


_ENDED = {
    "fence_token_stale": "superseded",
    "lease_expired": "expired",
    "lease_released": "released",
    "lease_broken": "broken",
}


class Refused(FencegateError):
    """The gateway's answer is no, and nothing was changed. `members` is its problem document."""

    def __init__(
        self, status: int, members: Mapping[str, Any], retry_after: Optional[float] = None
    ) -> None:
        self.status = status
        self.members = members
        self.code: str = str(members.get("code", f"http_{status}"))
        self.detail: str = str(members.get("detail", ""))
        self.retryable: bool = members.get("retryable") is True
        self.retry_after = retry_after
        self.request_id: Optional[str] = members.get("request_id")
        super().__init__(f"{status} {self.code}: {self.detail}")


class LockHeld(Refused):
    """Held by another, and the wait is over."""

    @property
    def holder(self) -> Optional[str]:
        return self.members.get("holder")

    @property
    def holder_remaining(self) -> Optional[float]:
        left = self.members.get("holder_remaining_ms")
        return None if left is None else left / 1000

    @property
    def position(self) -> Optional[int]:
        return self.members.get("position")


class FenceRefused(Refused):
    """The token does not pass: the write was not made and will not be."""

    @property
    def ended(self) -> Optional[str]:
        return self.members.get("ended")

    @property
    def current_token(self) -> Optional[int]:
        return self.members.get("current_token")

    @property
    def remedy(self) -> Optional[str]:
        return self.members.get("remedy")


class IdempotencyMismatch(Refused):
    """The key was used for another request. Look at `original_resource`; never take another key."""

    @property
    def original_resource(self) -> Optional[str]:
        return self.members.get("original_resource")


class Overloaded(Refused):
    """Too much at once, shutting down, or no space: nothing was done, later it may be."""


class Unauthenticated(Refused):
    """No key, or one that is not known (any more)."""


class Forbidden(Refused):
    """The key lacks the scope."""


class NotFound(Refused):
    """No such thing."""


class RunDone(Refused):
    """This run is done, which is final."""


class RunMissed(Refused):
    """Nobody began this run in time, which is final."""


class RunNotDue(Refused):
    """Its instant has not come; `due_in` seconds are left by the gateway's clock."""

    @property
    def due_in(self) -> Optional[float]:
        left = self.members.get("due_in_ms")
        return None if left is None else left / 1000


_BY_CODE: dict[str, Type[Refused]] = {
    "lock_held": LockHeld,
    "fence_token_required": FenceRefused,
    "fence_token_malformed": FenceRefused,
    "fence_token_stale": FenceRefused,
    "fence_token_unknown": FenceRefused,
    "fence_lock_mismatch": FenceRefused,
    "fence_not_holder": FenceRefused,
    "lease_expired": FenceRefused,
    "lease_released": FenceRefused,
    "lease_broken": FenceRefused,
    "idempotency_mismatch": IdempotencyMismatch,
    "queue_full": Overloaded,
    "quota_exceeded": Overloaded,
    "overloaded": Overloaded,
    "draining": Overloaded,
    "not_owner": Overloaded,
    "store_failed": Overloaded,
    "store_full": Overloaded,
    "unauthenticated": Unauthenticated,
    "forbidden": Forbidden,
    "lease_not_found": NotFound,
    "payment_not_found": NotFound,
    "run_not_found": NotFound,
    "run_done": RunDone,
    "run_missed": RunMissed,
    "run_not_due": RunNotDue,
}


def refusal(
    status: int, members: Mapping[str, Any], retry_after: Optional[float] = None
) -> Refused:
    """The error that a problem document stands for."""
    kind = _BY_CODE.get(str(members.get("code")), Refused)
    return kind(status, members, retry_after)
