"""Odd values at one place of a document: finds what flipping the bytes of its JSON would take ages to reach."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any, Final

Path = tuple[str | int, ...]

ODD: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 2, 3, 4, 2**31, 2**32, -(2**31), 2**62, 2**63 - 1, 2**63, -(2**63) - 1, 10**30,
    0.5, -0.0, 1e308, float("inf"), float("nan"), "", " ", "0", "1", "-1", "007", "+7", "1_0", "9223372036854775808",
    "0x10", "\u0661", "\x00", "\ud800", "a\udc00b", "\ufeff", "\u202e", "null", "/send@", "@", "@\ud83d", "x" * 300,
    "=", "AA==", "AA=", "\u00ff" * 20, "2023-13-45T25:61:61Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
    [], {}, [[]], [None], [{}], {"": None}, {"id": 1}, [0] * 40, {"id": True, "type": "private"},
)  # fmt: skip
"""Values that a sloppy or hostile peer could put anywhere."""
DEEP: Final = 900
"""Brackets in each other that Python still reads."""


def places(document: Any, at: Path = ()) -> Iterator[Path]:
    """Yield every place of ``document``, itself first."""
    yield at
    if isinstance(document, dict | list):
        for key, value in document.items() if isinstance(document, dict) else enumerate(document):
            yield from places(value, (*at, key))


def placed(document: Any, at: Path, value: Any) -> Any:
    """Return ``document`` with ``value`` at the place ``at``; objects on the way that are missing are made."""
    if not at:
        return value
    copy: Any = list(document) if isinstance(document, list) else dict(document)
    inside = copy.get(at[0], {}) if isinstance(copy, dict) else copy[at[0]]
    copy[at[0]] = placed(inside, at[1:], value)
    return copy


def without(document: Any, at: Path) -> Any:
    """Return ``document`` without what stands at ``at``."""
    if len(at) > 1:
        return placed(document, at[:1], without(document[at[0]], at[1:]))
    if isinstance(document, dict):
        return {key: value for key, value in document.items() if (key,) != at}
    return [value for index, value in enumerate(document) if (index,) != at]


def mutated(document: Any, rng: Random) -> Any:
    """Return ``document`` with one place changed: something odd, something of elsewhere in it, or nothing at all."""
    everywhere = list(places(document))
    at = rng.choice(everywhere)
    match rng.randrange(6):
        case 0 if at:
            return without(document, at)
        case 1:
            return placed(document, at, value_at(document, rng.choice(everywhere)))
        case 2:
            return placed(document, at, nested(rng.choice((1, 50, DEEP))))
        case 3 if isinstance(value_at(document, at), str):
            return placed(document, at, bent(value_at(document, at), rng))
    return placed(document, at, rng.choice(ODD))


def value_at(document: Any, at: Path) -> Any:
    """Return what stands at ``at``."""
    for key in at:
        document = document[key]
    return document


def nested(depth: int) -> Any:
    """Return lists in lists."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def bent(text: str, rng: Random) -> str:
    """Return ``text`` with one character replaced, left out, doubled, or with something odd put in."""
    at = rng.randrange(len(text) + 1)
    odd = rng.choice([str(value) for value in ODD if isinstance(value, str | int)])
    middle = rng.choice(("", odd, text[at : at + 1] * 2, chr(rng.randrange(0x250))))
    return text[:at] + middle + text[at + rng.randrange(2) :]


def mutate_json(source: bytes, seed: int) -> bytes | None:
    """Return the JSON ``source`` mutated, None for what is no JSON, or is nested too deeply to be written."""
    try:
        return json.dumps(mutated(json.loads(source), Random(seed))).encode()
    except (ValueError, RecursionError):
        return None
