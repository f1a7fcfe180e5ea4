"""What the two Python drivers have in common: lines in, lines out, and how an error is told."""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from fencegate import FencegateError, LeaseLost, Refused

_writing = threading.Lock()


def tell(**members: Any) -> None:
    with _writing:
        sys.stdout.write(json.dumps(members) + "\n")
        sys.stdout.flush()


def told_error(error: BaseException) -> dict[str, Any]:
    """The names of README.md, which are those of the Python client."""
    if isinstance(error, ValueError):
        return {"type": "InvalidArgument"}
    told: dict[str, Any] = {"type": type(error).__name__, "detail": str(error)}
    if isinstance(error, LeaseLost):
        told.update(reason=error.reason, ended=error.ended)
    elif isinstance(error, Refused):
        told.update(code=error.code, ended=error.members.get("ended"))
        told["original_resource"] = error.members.get("original_resource")
    elif not isinstance(error, FencegateError):
        told["type"] = f"unexpected {type(error).__name__}"
    return told


def seconds(asked: dict[str, Any], name: str, default: Any = None) -> Any:
    """A member in milliseconds; null stays null."""
    value = asked.get(name, default)
    return None if value is None else value / 1000


def told_lease(lease: Any) -> dict[str, Any]:
    return {"token": lease.token, "lease_id": lease.id, "locks": list(lease.locks)}


def told_state(lease: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"live": lease.is_live, "left_ms": round(lease.seconds_left() * 1000)}
    try:
        lease.check()
    except LeaseLost as loss:
        told.update(reason=loss.reason, ended=loss.ended)
    return told
