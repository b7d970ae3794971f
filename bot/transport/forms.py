"""Whether values have the form that their types declare: the library believes every type that Telegram sends."""

from collections.abc import Callable
from dataclasses import is_dataclass
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

_INT64: Final = range(-(2**63), 2**63)
_Form = Callable[[Any], bool]


@lru_cache(maxsize=64)
def form_of(declared: Any) -> _Form:
    """Return the check for ``declared``: a plain type, a record of such types, a tuple or a union of them.

    Numbers must fit 64 bits and texts must have a UTF-8 form, as the database needs them.
    """
    declared = getattr(declared, "__supertype__", declared)
    if declared in _PLAIN:
        return _PLAIN[declared]
    if isinstance(declared, UnionType):
        return _one_of([form_of(each) for each in get_args(declared)])
    if get_origin(declared) is tuple:
        element, _ = get_args(declared)
        return _all_of(form_of(element))
    if issubclass(declared, Enum):
        return lambda value: isinstance(value, declared)
    return _record(declared)


def _one_of(forms: list[_Form]) -> _Form:
    return lambda value: any(fits(value) for fits in forms)


def _all_of(form: _Form) -> _Form:
    return lambda values: isinstance(values, tuple) and all(map(form, values))


def _record(declared: Any) -> _Form:
    assert is_dataclass(declared) or hasattr(declared, "_fields"), f"{declared} is no record"
    forms = [(name, form_of(kind)) for name, kind in get_type_hints(declared).items()]
    return lambda value: isinstance(value, declared) and all(fits(getattr(value, n)) for n, fits in forms)


def _is_text(value: Any) -> bool:
    # JSON can spell half of a surrogate pair, which no UTF-8 has.
    return isinstance(value, str) and (value.isascii() or not _SURROGATES.intersection(value))


_SURROGATES: Final = frozenset(map(chr, range(0xD800, 0xE000)))
_PLAIN: Final[dict[Any, _Form]] = {
    str: _is_text,
    int: lambda value: type(value) is int and value in _INT64,
    bool: lambda value: isinstance(value, bool),
    NoneType: lambda value: value is None,
}
