"""Lists what the project depends on: version, licence, what for, when it was built, and whether it has types.

Everything but the reasons is read from the metadata of the installed packages, and from their files where they are given.
"""

import argparse
import re
import tarfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Final, NamedTuple

PROJECT: Final = Path(__file__).parent.parent / "pyproject.toml"

REASONS: Final[Mapping[str, str]] = {
    "aiosqlite": "long reads of the books beside the one writer",
    "apsw": "a file system of SQLite that loses power, for tests of the journal",
    "bech32": "addresses, with a checksum",
    "bip-utils": "the mnemonic's checksum and the derivation of the treasury's key",
    "coincurve": "signatures of the sandbox's purses, by another library than the one that is tested",
    "cosmpy": "the chain's protobuf messages and deterministic signatures, in one adapter",
    "fastapi": "the sandbox's page and its API",
    "google-re2": "patterns that admins write, in time linear in the text; in one file of the bot",
    "httpx": "every request to nodes and to Telegram, with an exchangeable transport",
    "pydantic": "the form of settings and of the sandbox's API",
    "pydantic-settings": "settings from the environment and from .env",
    "pynacl": "ed25519 signatures of validators",
    "python-dotenv": "the file .env, its names included",
    "python-telegram-bot": "the Bot API, in one package of the bot",
    "segno": "QR codes of deposit cards",
    "structlog": "logs as events with facts",
    "uvicorn": "serves the sandbox",
    "hypothesis": "property tests",
    "import-linter": "the directions between the layers",
    "mypy": "strict types",
    "pytest": "runs the tests",
    "pytest-asyncio": "tests that await",
    "playwright": "plays the page of the sandbox in a browser",
    "pytest-timeout": "a test that hangs fails",
    "pytest-xdist": "tests on all cores",
    "ruff": "format and lint",
    "atheris": "coverage-guided fuzzing, in an environment of its own",
}
"""What each direct dependency is for, by its normalized name."""

LICENCES: Final[Mapping[str, str]] = {
    "any-osi": "any-OSI",
    "apache 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd": "BSD",
    "bsd license": "BSD",
    "bsd 2-clause license": "BSD-2-Clause",
    "3-clause bsd license": "BSD-3-Clause",
    "bsd, public domain": "BSD AND Public-Domain",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
    "mit": "MIT",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "public domain": "Public-Domain",
    "python software foundation license": "PSF-2.0",
}
"""What packages call their licences, as SPDX names them (where there is a name)."""
ALLOWED: Final = frozenset({
    "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "ISC", "LGPL-3.0-only", "MIT", "MIT-0", "MPL-2.0",
    "PSF-2.0", "Public-Domain", "Unlicense", "Zlib", "any-OSI",
})  # fmt: skip
"""Licences under which a program under MIT may use a library unchanged."""
READ: Final[Mapping[str, str]] = {
    # No licence in the metadata; read in the package's repository or its files.
    "pytoniq-core-fork": "MIT",
    "atheris": "Apache-2.0",
}
FIXED_DATE: Final = date(2020, 2, 3)
"""Reproducible builds set this date or an earlier one: then nothing is known."""


class Package(NamedTuple):
    """One line of the list. ``built`` None: unknown. ``direct`` tells that pyproject.toml names it."""

    name: str
    version: str
    licence: str
    typed: bool
    built: date | None
    why: str
    direct: bool


def normalized(name: str) -> str:
    """Return ``name`` as the packaging rules compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def direct_names() -> list[str]:
    """Return the normalized names of what pyproject.toml asks for, extras included."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    return [normalized(_name_of(each)) for group in groups for each in group]


def _name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, f"no requirement: {requirement}"
    return found[0]


def licence_of(package: Distribution) -> str:
    """Return the licence of ``package`` in SPDX words; "" when its metadata names none."""
    known = READ.get(normalized(package.name))
    fields = package.metadata
    if known or "License-Expression" in fields:
        return known or str(fields["License-Expression"])
    stated = str(fields["License"]) if "License" in fields else ""
    if stated in ALLOWED:
        return stated
    classifiers = [line.rpartition(" :: ")[2] for line in fields.get_all("Classifier") or ()]
    named = [LICENCES[each.lower()] for each in (stated, *classifiers) if each.lower() in LICENCES]
    return named[0] if named else ""


def allowed(licence: str) -> bool:
    """Tell whether one alternative of ``licence`` has only parts that are allowed; nested ones need a reader."""
    return any(
        all(part in ALLOWED for part in re.split(r" AND | WITH ", alternative))
        for alternative in licence.split(" OR ")
    )


def packages(files: Path | None) -> list[Package]:
    """Return what the project depends on, directly and through others, by name."""
    built = dict(_built(files)) if files else {}
    direct = set(direct_names())
    parents = _closure(direct)
    return [_package(name, parents[name], built, direct=name in direct) for name in sorted(parents)]


def _package(name: str, parents: Iterable[str], built: Mapping[str, date], *, direct: bool) -> Package:
    try:
        package = distribution(name)
    except PackageNotFoundError:
        # In an environment of its own.
        return Package(name, "-", READ.get(name, ""), False, built.get(name), REASONS.get(name, ""), direct)
    typed = any(path.name == "py.typed" for path in package.files or ())
    why = REASONS.get(name, "") if direct else f"for {', '.join(sorted(parents)[:3])}"
    return Package(package.name, package.version, licence_of(package), typed, built.get(name), why, direct)


def _closure(names: Iterable[str]) -> dict[str, set[str]]:
    """Return every installed package that ``names`` need, with who needs it."""
    found: dict[str, set[str]] = {}
    waiting = [(name, "") for name in names]
    while waiting:
        name, parent = waiting.pop()
        seen = name in found
        try:
            needed = [] if seen else distribution(name).requires or []
        except PackageNotFoundError:
            if parent:
                # Of another platform or of an older Python.
                continue
            needed = []
        found.setdefault(name, set()).add(parent)
        waiting += [(normalized(_name_of(each)), name) for each in needed if "extra ==" not in each]
    return found


def _built(files: Path) -> Iterator[tuple[str, date]]:
    """Yield the date of the newest member of each package file, where it was not set to a fixed one."""
    for path in sorted(files.iterdir()):
        name = normalized(re.split(r"-\d", path.name, maxsplit=1)[0])
        newest = _newest(path)
        if newest > FIXED_DATE:
            yield name, newest


def _newest(path: Path) -> date:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            return max(date(*member.date_time[:3]) for member in archive.infolist())
    with tarfile.open(path) as archive:
        return max(datetime.fromtimestamp(member.mtime, UTC).date() for member in archive.getmembers())


HEAD: Final = """# What Moneta depends on

Written by `scripts/dependencies --dates`; do not edit. Direct dependencies are those that pyproject.toml names, each with
its reason; the others came with them. *Built* is the date inside the published file; a dash where a reproducible build has
none. *Typed*: the package ships types that mypy checks against.
"""


def document(found: Iterable[Package]) -> str:
    """Return the list as Markdown."""
    rows = list(found)
    parts = [HEAD]
    for title, direct in (("Direct", True), ("Through others", False)):
        parts += [
            f"\n## {title}\n",
            "| package | version | licence | built | typed | what for |",
            "|---|---|---|---|---|---|",
        ]
        parts += [_row(each) for each in rows if each.direct is direct]
    return "\n".join(parts)


def _row(package: Package) -> str:
    typed, built = "yes" if package.typed else "no", package.built.isoformat() if package.built else "-"
    cells = (package.name, package.version, package.licence or "**unknown**", built, typed, package.why)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=Path)
    print(document(packages(parser.parse_args().files)))
