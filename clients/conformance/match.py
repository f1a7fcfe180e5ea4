"""Whether what came is what was expected: a subset, with a few words for what is not exact.

{"$above": 1}, {"$below": 2}, {"$in": [..]}, {"$absent": true}; "${name.member}" stands for what an
earlier step kept. Thread rule: pure functions.
"""

from __future__ import annotations

import re
from typing import Any, Mapping

_REFERENCE = re.compile(r"\$\{([a-z_]+)((?:\.[a-z_]+)+)\}")


def covers(came: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict) and len(wanted) == 1 and next(iter(wanted)).startswith("$"):
        return _is(came, *next(iter(wanted.items())))
    if isinstance(wanted, dict):
        return isinstance(came, dict) and all(
            covers(came.get(name), value) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(came, list)
            and len(came) == len(wanted)
            and all(covers(one, other) for one, other in zip(came, wanted))
        )
    return type(came) is type(wanted) and came == wanted


def _is(came: Any, word: str, value: Any) -> bool:
    if word == "$absent":
        return came is None
    if word == "$in":
        return came in value
    if came is None:
        return False
    return bool(came > value if word == "$above" else came < value)


def fill_in(text: Any, kept: Mapping[str, Any]) -> Any:
    """Replaces references; one that is the whole text keeps its type."""
    if isinstance(text, dict):
        return {name: fill_in(value, kept) for name, value in text.items()}
    if isinstance(text, list):
        return [fill_in(value, kept) for value in text]
    if not isinstance(text, str):
        return text
    whole = _REFERENCE.fullmatch(text)
    if whole:
        return _look_up(whole, kept)
    return _REFERENCE.sub(lambda found: str(_look_up(found, kept)), text)


def _look_up(found: re.Match[str], kept: Mapping[str, Any]) -> Any:
    value: Any = kept[found[1]]
    for member in found[2][1:].split("."):
        value = value[member]
    return value
