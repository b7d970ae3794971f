"""Reads settings, and tells the operator everything that is wrong with them at once."""

import difflib
import os
from pathlib import Path
from typing import Any, Final, TypeVar

from dotenv import dotenv_values
from pydantic import ValidationError

from bot.settings.checks import problems_of
from bot.settings.files import reason_of
from bot.settings.model import Books, Settings
from bot.settings.names import DOTENV, FILE_SUFFIX, PREFIX, SECRETS, SettingsError, variable

GONE: Final = {
    "bot_token": "it is MONETA_TELEGRAM_TOKEN",
    "rpc_url": "it is MONETA_NODES, and takes several",
    "start_height": "books open at MONETA_TRUST_HEIGHT, or at the newest block without it",
}
"""Names that were used before or that people expect, and what to set instead."""

Given = TypeVar("Given", bound="Books")


def load(kind: type[Given], env_file: Path | None = DOTENV, **given: Any) -> Given:
    """Return the settings of ``kind`` from the environment and ``env_file``; ``given`` values win over both.

    Only the usual ``.env`` may be absent. Raises SettingsError, which names every problem that was found.
    """
    if env_file not in (None, DOTENV) and not env_file.is_file():
        raise SettingsError([f"{env_file} does not exist."])
    from_file = _values_in(env_file) if env_file and env_file.is_file() else {}
    names = {name.lower() for name in (*from_file, *os.environ) if name.lower().startswith(PREFIX.lower())}
    set_names = {name.lower() for name, value in {**from_file, **os.environ}.items() if value}
    if problems := _name_problems(names, set_names):
        raise SettingsError(problems)
    try:
        settings = kind(_env_file=env_file, **given)  # type: ignore[call-arg] # a parameter of BaseSettings
    except ValidationError as error:
        # The cause quotes what was given, secrets included: it must not travel along.
        raise SettingsError(_sentences(error, kind)) from None
    if isinstance(settings, Settings) and (problems := problems_of(settings)):
        raise SettingsError(problems)
    return settings


def _values_in(env_file: Path) -> dict[str, str | None]:
    try:
        return dotenv_values(env_file)
    except (OSError, UnicodeDecodeError) as error:
        # The cause quotes what stands in the file, secrets included.
        raise SettingsError([f"{env_file} cannot be read: {reason_of(error)}."]) from None


def _name_problems(names: set[str], set_names: set[str]) -> list[str]:
    known = {variable(name).lower() for name in Settings.model_fields}
    files = {f"{variable(name)}{FILE_SUFFIX}".lower() for name in SECRETS}
    problems = [_unknown(name, known | files) for name in sorted(names - known - files)]
    direct = {file: file.removesuffix(FILE_SUFFIX.lower()) for file in sorted(files & set_names)}
    twice = [
        f"{name.upper()} and {file.upper()} are both set; keep one."
        for file, name in direct.items()
        if name in set_names
    ]
    return problems + twice


def _unknown(name: str, known: set[str]) -> str:
    bare = name.removeprefix(PREFIX.lower())
    if instead := GONE.get(bare):
        return f"{name.upper()} is no setting any more: {instead}."
    close = difflib.get_close_matches(bare, [each.removeprefix(PREFIX.lower()) for each in known], 1)
    return f"{name.upper()} is no setting{f'; did you mean {variable(close[0])}?' if close else '.'}"


def _sentences(error: ValidationError, kind: type[Books]) -> list[str]:
    """Return what pydantic found as sentences that name the setting; never a value that may be secret."""
    sentences: list[str] = []
    for problem in error.errors(include_input=False, include_url=False):
        said = problem["msg"].removeprefix("Value error, ").rstrip(".") + "."
        if not problem["loc"]:
            sentences += said.split("\n")
            continue
        name = str(problem["loc"][0])
        field = kind.model_fields[name]
        missing = problem["type"] == "missing"
        sentences.append(
            f"{variable(name)} is missing. {field.description}" if missing else f"{variable(name)}: {said}"
        )
    return sentences
