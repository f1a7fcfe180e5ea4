"""For tests of your own: make a lease lost at will, and see what your worker does then.

    with fg.lock("payments/pay_42") as lease:
        lose(lease)
        with pytest.raises(LeaseLost):
            work(lease)

Only this client is told: the gateway's lease lives on until it is released, which the block does.
Thread rule: any thread.
"""

from __future__ import annotations

from .lease import HeldLease, core_of

_REASONS = {
    "expired": "lease_expired",
    "superseded": "fence_token_stale",
    "released": "lease_released",
    "broken": "lease_broken",
}


def lose(lease: HeldLease, ended: str = "superseded") -> None:
    """ended: expired, superseded, released or broken."""
    core_of(lease).lose(_REASONS[ended], f"made so by a test ({ended})")
