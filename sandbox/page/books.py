"""The ledger as it is on disk, read-only: balances, the last transactions, and the sum of all."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from ledger.accounts import AccountId, account_class
from ledger.money import Asset, Denom, format_amount
from ledger.reader import Reader

_MOST_BALANCES: Final = 200
_SYSTEM: Final = {
    -1: "Bot treasury",
    -2: "System reserve",
    -3: "Unclaimed",
    -4: "Withdrawals",
    -5: "Rewards pool",
}

_BALANCES: Final = """
SELECT user_id, denom, balance, name FROM user_balances JOIN users ON users.id = user_id
ORDER BY user_id < 0, balance DESC, user_id LIMIT ?
"""
_LATEST: Final = """
SELECT id, kind, denom, amount, from_id, to_id, note, at FROM transactions ORDER BY id DESC LIMIT ?
"""


class BalanceView(BaseModel):
    """What an account owns of an asset; ``amount`` in base units."""

    account: int
    name: str
    denom: str
    amount: int
    shown: str


class TransactionView(BaseModel):
    """A posting; an account None is the chain."""

    id: int
    kind: str
    source: int | None
    source_name: str
    destination: int | None
    destination_name: str
    denom: str
    amount: int
    shown: str
    note: str
    at: int = Field(description="Unix time in milliseconds")


class BooksView(BaseModel):
    """The ledger now; ``open`` is false while the bot has not made its database."""

    open: bool
    balances: list[BalanceView] = Field(default_factory=list)
    transactions: list[TransactionView] = Field(default_factory=list)
    totals: dict[str, int] = Field(default_factory=dict)


class Books:
    """Looks into the bot's database, which the bot alone writes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader: Reader | None = None

    async def view(self, limit: int = 20) -> BooksView:
        """Return balances, the last ``limit`` transactions and the total of each asset."""
        try:
            return self._read(limit)
        except sqlite3.OperationalError:
            return BooksView(open=False)  # not made yet, or in the middle of its first migration

    def total(self, denom: str) -> int | None:
        """Return the sum of all balances of ``denom``, None while there is no ledger."""
        try:
            found = self._opened().select("SELECT total FROM assets WHERE denom = ?", (denom,))
        except sqlite3.OperationalError:
            return None
        return int(found[0][0]) if found else 0

    def close(self) -> None:
        """Close the connection."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _opened(self) -> Reader:
        if self._reader is None:
            self._reader = Reader(self.path)
        return self._reader

    def _read(self, limit: int) -> BooksView:
        reader = self._opened()
        assets = {asset.denom: asset for asset in reader.assets()}
        names = {row["id"]: row["name"] for row in reader.select("SELECT id, name FROM users")}
        return BooksView(
            open=True,
            balances=[
                BalanceView(
                    account=row["user_id"],
                    name=account_name(row["user_id"], names),
                    denom=row["denom"],
                    amount=row["balance"],
                    shown=_shown(row["balance"], row["denom"], assets),
                )
                for row in reader.select(_BALANCES, (_MOST_BALANCES,))
            ],
            transactions=[
                TransactionView(
                    id=row["id"],
                    kind=row["kind"],
                    source=row["from_id"],
                    source_name=account_name(row["from_id"], names),
                    destination=row["to_id"],
                    destination_name=account_name(row["to_id"], names),
                    denom=row["denom"],
                    amount=row["amount"],
                    shown=_shown(row["amount"], row["denom"], assets),
                    note=row["note"],
                    at=row["at"],
                )
                for row in reader.select(_LATEST, (min(max(limit, 1), 200),))
            ],
            totals={denom: reader.total(denom) for denom in assets},
        )


def account_name(account: int | None, names: dict[int, str]) -> str:
    """Return an account in words: the chain, a system account, or what it is called; its class and id without a name."""
    if account is None:
        return "Chain"
    if account in _SYSTEM:
        return _SYSTEM[account]
    if name := names.get(account):
        return name
    kind = account_class(AccountId(account))
    return f"{kind.value.capitalize() if kind else 'Account'} {account}"


def _shown(amount: int, denom: str, assets: Mapping[Denom, Asset]) -> str:
    asset = assets.get(Denom(denom))
    return format_amount(amount, asset) if asset else f"{amount} {denom}"


def router(books: Books) -> APIRouter:
    """Return the endpoint of the ledger's view."""
    api = APIRouter(prefix="/api", tags=["ledger"])
    api.add_api_route("/ledger", books.view, methods=["GET"], operation_id="ledger")
    return api
