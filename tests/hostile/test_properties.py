"""The targets again, with what Hypothesis thinks of: it shrinks what it finds, and needs no environment of its own."""

import json
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import fetch
from bot.intents import Intent
from bot.transport import read_update
from bot.transport.forms import form_of
from tests.hostile.books import ME
from tests.hostile.mutation import mutate_json, nested, places, value_at
from tests.hostile.targets import JSON_TARGETS, TARGETS, message

CORPUS: Final = Path(__file__).with_name("corpus")
TEXT_TARGETS: Final = sorted(set(TARGETS) - set(JSON_TARGETS))
WRONG: Final[tuple[Any, ...]] = (None, True, 2**63, 0.5, "\ud800", [], {"id": 1})


def documents(target: str) -> list[Any]:
    """Return the seeds of ``target`` that are JSON."""
    found = []
    for path in sorted((CORPUS / target).iterdir()):
        try:
            found.append(json.loads(path.read_bytes()))
        except ValueError:
            continue
    return found


@pytest.mark.parametrize("target", JSON_TARGETS)
@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), changes=st.integers(1, 4), choice=st.integers(0, 1000))
def test_a_document_with_odd_values_ends_well(target: str, seed: int, changes: int, choice: int) -> None:
    seeds = documents(target)
    raw = json.dumps(seeds[choice % len(seeds)]).encode()
    for change in range(changes):
        raw = mutate_json(raw, seed + change) or raw
    TARGETS[target](raw)


@pytest.mark.parametrize("target", TEXT_TARGETS)
@settings(max_examples=60)
@given(
    head=st.sampled_from(["", "/send ", "/withdraw ", "juno1", "5 @", "\n"]),
    tail=st.text(max_size=80) | st.binary(),
)
def test_any_bytes_end_well(target: str, head: str, tail: str | bytes) -> None:
    rest = tail.encode("utf-8", "surrogatepass") if isinstance(tail, str) else tail
    TARGETS[target](head.encode() + rest)


@pytest.mark.parametrize("document", documents("update"), ids=lambda document: str(document["update_id"]))
def test_what_is_read_has_the_form_that_its_types_declare(document: Any) -> None:
    """Each place of each seed, with each kind of value that is no place for: poison or a well-formed intent."""
    well_formed = form_of(Intent)
    for at in list(places(document))[1:]:
        for odd in WRONG:
            if at == ("update_id",) or odd == value_at(document, at):
                continue
            changed = _with(document, at, odd)
            arrival = fetch.read_arrival(changed, read_update, ME.id)
            assert arrival is not None
            assert arrival.intent is None or well_formed(arrival.intent)


def _with(document: Any, at: tuple[str | int, ...], value: Any) -> Any:
    copy = json.loads(json.dumps(document))
    value_at(copy, at[:-1])[at[-1]] = value
    return copy


@pytest.mark.parametrize("depth", [*range(100, 900, 100), *range(900, 1000, 5), 5_000, 100_000])
def test_brackets_in_brackets_exhaust_nothing(depth: int) -> None:
    """Around the depth that Python can read, one side of the program can still read what another cannot write."""
    brackets = b"[" * depth + b"]" * depth
    TARGETS["rpc"](brackets)
    TARGETS["rpc"](b'~{"message":' + brackets + b"}")
    TARGETS["rpc"](b'~{"data":{"a":' + brackets + b"}}")
    for target in ("header", "claims", "proof"):
        TARGETS[target](
            b'{"signed_header":' + brackets + b',"txs":' + brackets + b',"ops":' + brackets + b"}"
        )
    said = json.dumps(message("/send", [])).encode()
    TARGETS["update"](said[:-2] + b',"photo":' + brackets + b"}}")


def test_an_update_that_is_nested_too_deeply_to_be_written_is_poison() -> None:
    document = {**message("/send 5 @ben", []), "poll": nested(20_000)}
    arrival = fetch.read_arrival(document, read_update, ME.id)
    assert arrival is not None
    assert arrival.intent is None
