"""Requests and replies as plain values, and how both are spelt in HTTP/1.1.

Owns: names and ids that may stand in a path, heads, problem documents, keys for acquires.
Refuses to own: sockets (_connection.py). Thread rule: pure functions and values.
"""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional

from .errors import Refused, refusal

_SEGMENT = r"(?!\.{1,2}(?:/|$))[A-Za-z0-9._~:-]{1,64}"
_NAME = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
_KEY = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")
_MAY_PASS_LATER = (408, 429, 502, 503, 504)


class Malformed(Exception):
    """These bytes are no HTTP reply."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: Optional[Mapping[str, Any]] = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Optional[str]:
        return self.headers.get("Idempotency-Key")

    @property
    def reads(self) -> bool:
        return self.method == "GET"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]  # names in lower case
    raw: bytes = b""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_json(self) -> bool:
        try:
            self.json()
        except ValueError:
            return False
        return True

    def json(self) -> dict[str, Any]:
        if not self.raw:
            return {}
        found = json.loads(self.raw)
        if not isinstance(found, dict):
            raise ValueError("the answer is not an object")
        return found

    @property
    def retry_after(self) -> Optional[float]:
        text = self.headers.get("retry-after", "")
        return float(text) if text.isdigit() else None

    def error(self) -> Refused:
        """REQUIRES: not ok. What is no problem document is by something between us and the gateway."""
        try:
            members = self.json()
        except ValueError:
            members = {}
        if "code" not in members:
            members = {"retryable": self.status in _MAY_PASS_LATER, "detail": "not by fencegate"}
        return refusal(self.status, members, self.retry_after)

    @property
    def outcome_unknown(self) -> bool:
        """REQUIRES: not ok. Whether the request may yet have had an effect."""
        error = self.error()
        by_another = "code" not in error.members and self.status >= 500
        return by_another or error.code == "outcome_unknown"


def lock_name(text: str) -> str:
    if len(text) > 128 or not _NAME.fullmatch(text):
        raise ValueError(f"not a lock name: {text!r}")
    return text


def segment(text: str, what: str) -> str:
    if "/" in text or not _NAME.fullmatch(text):
        raise ValueError(f"not {what}: {text!r}")
    return text


def idempotency_key(text: str) -> str:
    if not isinstance(text, str) or not _KEY.fullmatch(text):
        raise ValueError("an idempotency key is 1 to 255 printable ASCII characters")
    return text


def uuid7() -> str:
    """RFC 9562: time first, so that keys made together lie together in the gateway's index."""
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    number = number & ~(0xF000 << 64) | 0x7000 << 64
    number = number & ~(0xC << 60) | 0x8 << 60
    text = f"{number:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def spell(request: Request, host: str, key: Optional[str]) -> bytes:
    body = b"" if request.body is None else json.dumps(request.body).encode()
    lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: {host}"]
    if key is not None:
        lines.append(f"Authorization: Bearer {key}")
    lines.extend(f"{name}: {value}" for name, value in request.headers.items())
    if body:
        lines.append("Content-Type: application/json")
    if body or not request.reads:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body


def read_head(raw: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers of a head that ends with an empty line."""
    lines = raw.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ", 2)
    if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not parts[1].isdigit():
        raise Malformed(f"not a status line: {lines[0][:80]!r}")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return int(parts[1]), headers
