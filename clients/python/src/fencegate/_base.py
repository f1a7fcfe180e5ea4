"""How both clients are made, and the methods that only name what a block will take when it is entered.

Thread rule: any thread.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any, Generic, Iterable, Mapping, Optional, Type, TypeVar, Union

from . import _policy, _requests
from ._acquire import Wish
from ._core import Core, StrPath, endpoint, settings

C = TypeVar("C", bound="BaseClient[Any, Any, Any]")
L = TypeVar("L")
E = TypeVar("E")
R = TypeVar("R")
_TTL = 30.0


class BaseClient(Generic[L, E, R]):
    """url: https://HOST[:PORT]. ca: a file; without one the system's CAs are trusted.
    timeout: seconds for all attempts of one call, waits for a lock apart."""

    def __init__(
        self,
        url: str,
        *,
        key: Optional[str] = None,
        ca: Optional[StrPath] = None,
        owner: Optional[str] = None,
        timeout: float = _policy.ANSWER,
    ) -> None:
        self._core = Core(endpoint(url, key, ca), timeout)
        self.owner = owner or _requests.default_owner()
        self._ready()

    @classmethod
    def from_env(cls: Type[C], environ: Mapping[str, str] = os.environ, **options: Any) -> C:
        """FENCEGATE_URL, FENCEGATE_CA, FENCEGATE_KEY_FILE."""
        return cls(**{**settings(environ), **options})

    def _ready(self) -> None:
        """What the face adds once the core is there."""

    def _lock(self, wish: Wish) -> L:
        raise NotImplementedError

    def _leadership(self, wish: Wish, election: str) -> E:
        raise NotImplementedError

    def _run(self, wish: Wish, path: str) -> R:
        raise NotImplementedError

    def lock(
        self,
        name: str,
        *,
        ttl: float = _TTL,
        wait: Optional[float] = None,
        shared: bool = False,
        permits: Optional[int] = None,
        owner: Optional[str] = None,
        metadata: Optional[Mapping[str, Any]] = None,
    ) -> L:
        """Nothing is asked before it is entered or acquired. wait: None for ever, 0 to try once."""
        wish = _requests.lock_wish(
            [name],
            several=False,
            ttl=ttl,
            wait=wait,
            owner=owner or self.owner,
            shared=shared,
            permits=permits,
            metadata=metadata,
        )
        return self._lock(wish)

    def lock_all(
        self,
        names: Iterable[str],
        *,
        ttl: float = _TTL,
        wait: Optional[float] = None,
        owner: Optional[str] = None,
        metadata: Optional[Mapping[str, Any]] = None,
    ) -> L:
        """All or none, one token: two callers cannot hold each other up."""
        wish = _requests.lock_wish(
            names,
            several=True,
            ttl=ttl,
            wait=wait,
            owner=owner or self.owner,
            metadata=metadata,
        )
        return self._lock(wish)

    def leader(
        self,
        election: str,
        *,
        value: Optional[Mapping[str, Any]] = None,
        ttl: float = _TTL,
        wait: Optional[float] = None,
        owner: Optional[str] = None,
        locks: Iterable[str] = (),
    ) -> E:
        """Campaigns when it is entered. locks: what only the leader may write."""
        wish = _requests.election_wish(
            election, value=value, ttl=ttl, wait=wait, owner=owner or self.owner, locks=locks
        )
        return self._leadership(wish, election)

    def run_once(
        self,
        job: str,
        slot: Union[str, datetime],
        *,
        ttl: float = 60.0,
        wait: Optional[float] = 0.0,
        owner: Optional[str] = None,
        locks: Iterable[str] = (),
        start_within: Optional[float] = None,
    ) -> R:
        """Fails when it is entered with: RunDone, RunMissed, RunNotDue, LockHeld."""
        path = _requests.run_path(job, slot)
        wish = _requests.run_wish(
            path,
            ttl=ttl,
            wait=wait,
            owner=owner or self.owner,
            locks=locks,
            start_within=start_within,
        )
        return self._run(wish, path)
