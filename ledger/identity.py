"""What a database belongs to: bound once to a chain, a treasury address and a bot, it refuses any other."""

from collections.abc import Mapping
from typing import Final

from ledger.errors import WrongDatabase
from ledger.journal import Journal, Lane
from ledger.ports import Selects
from ledger.units import Decision, Row, Unit, View

_INSERT: Final = "INSERT INTO identity (name, value) VALUES (:name, :value)"


def require_own(books: Selects, wanted: Mapping[str, str], *, kind: str = "database") -> None:
    """Raise WrongDatabase, naming what differs, when ``books`` belong to another chain, address or bot than ``wanted``.

    ``kind`` is what people call this file.
    """
    wrong = {name: value for name, value in _bound(books).items() if wanted.get(name, value) != value}
    if wrong:
        raise WrongDatabase(f"the {kind} is bound to {wrong}, the settings say {dict(wanted)}")


def _bound(books: Selects) -> dict[str, str]:
    return {row["name"]: row["value"] for row in books.select("SELECT name, value FROM identity")}


class Identity:
    """The binding of this database."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def bind(self, *, chain_id: str, address: str, bot_id: int) -> None:
        """Bind an unbound database; on a bound one, only compare.

        Raises WrongDatabase, naming what differs, when it belongs to another chain, address or bot.
        """
        wanted = {"chain_id": chain_id, "address": address, "bot_id": str(bot_id)}

        def decide(view: View) -> Decision[WrongDatabase | None]:
            try:
                require_own(view, wanted)
            except WrongDatabase as wrong:
                return Decision(wrong)
            missing = wanted.items() - _bound(view).items()
            rows = (Row(_INSERT, {"name": name, "value": value}) for name, value in sorted(missing))
            return Decision(None, rows=tuple(rows))

        refusal = await self._journal.submit(Unit(decide), Lane.SYSTEM)
        if refusal is not None:
            raise refusal
