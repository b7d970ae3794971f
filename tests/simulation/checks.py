"""What must hold at a quiet point, worked out from what people meant and from the chain, not from the program's word.

Each check returns sentences about what is wrong; an empty list is a pass.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from bot.dispatch import OLD_MS
from chain import address as bech32
from ledger.accounts import BOT_TREASURY, REWARDS_POOL, SYSTEM_RESERVE, UNCLAIMED, WITHDRAWALS, AccountId
from ledger.audit import audit
from ledger.reader import Reader
from sandbox.node import state
from sandbox.node.node import SANDBOX_PARAMETERS
from tests.simulation.city import DENOM, FEE, City
from tests.simulation.people import TREASURY, Intents, Payment, People, Transfer, canonical

_RECEIPT: Final = re.compile(r"Receipt (\d+)")

_TOLD_ENDS: Final = {"confirmed": "arrived"}
_LATE_MS: Final = 120_000
"""How much later than the limit of its age a command may still be executed: clocks jump, and books are busy."""
_CANCELLED_TOO_LATE: Final = (
    "SELECT 1 FROM inbox WHERE sender = ? AND code = 'withdrawal_not_cancellable' LIMIT 1"
)
"""Its answer takes the place of the message that showed how the withdrawal ended."""
_LOST_BY_RETURNS: Final = """
SELECT w.account, sum(t.amount) FROM withdrawals AS w JOIN transactions AS t ON t.reference = w.id
WHERE w.state = 'returned' AND t.to_id IS NULL GROUP BY w.account
"""


class Checks:
    """Looks at the books, the chain and the chats of one city."""

    def __init__(self, city: City, people: People) -> None:
        self._city = city
        self._people = people
        self._intents: Intents = people.intents
        self._executed: set[bytes] = set()
        self._seen_height = 0

    def problems(self) -> list[str]:
        """Return all that is wrong now."""
        self._watch_chain()
        books = Reader(self._city.disk.path)
        try:
            found = [
                *self._program(),
                *self._audit(),
                *self._chain_agrees(books),
                *self._deposits(books),
                *self._transfers(books),
                *self._payments(books),
                *self._balances(books),
                *self._commands(books),
                *self._words(books),
            ]
        finally:
            books.close()
        return found

    def _watch_chain(self) -> None:
        """Learn which transactions really executed, from the blocks themselves."""
        chain = self._city.node.chain
        for height in range(self._seen_height + 1, chain.height + 1):
            block = chain.block(height)
            for tx, result in zip(block.txs, block.results, strict=True):
                if result.outcome.code == 0:
                    self._executed.add(canonical(tx))
        self._seen_height = chain.height

    def _program(self) -> Iterator[str]:
        for death in self._city.died:
            yield f"the program died by itself: {death!r}"
        if not self._city.jumps:
            yield from self._city.told_by_two
        for error in self._city.network.errors:
            yield f"the world itself broke: {error!r}"

    def _audit(self) -> Iterator[str]:
        report = audit(self._city.disk.path)
        for problem in report.problems:
            yield f"audit: {problem}"

    def _chain_agrees(self, books: Reader) -> Iterator[str]:
        cursor = books.select("SELECT height FROM cursor")
        if not cursor:
            yield "the books were never opened"
            return
        height = int(cursor[0][0])
        raw = bech32.decode(TREASURY, SANDBOX_PARAMETERS.prefix)
        held = state.balance(self._city.node.chain.version(height), raw, DENOM)
        owned = books.total(DENOM)
        if held != owned:
            yield f"at height {height} the treasury holds {held}, the books say {owned}"
        if books.balance(SYSTEM_RESERVE, DENOM) != 0:
            yield f"the reserve holds {books.balance(SYSTEM_RESERVE, DENOM)} though nothing was ever missing"
        waiting = books.balance(WITHDRAWALS, DENOM)
        if waiting:
            yield f"{waiting} still waits in WITHDRAWALS"

    def _credited(self) -> dict[int | None, int]:
        sums: dict[int | None, int] = defaultdict(int)
        for deposit in self._intents.deposits:
            if deposit.canonical in self._executed:
                sums[deposit.account] += deposit.amount
        return sums

    def _deposits(self, books: Reader) -> Iterator[str]:
        rows = books.select(
            "SELECT to_id, sum(amount) FROM transactions WHERE kind IN ('deposit', 'residue') GROUP BY to_id"
        )
        posted = {row[0]: row[1] for row in rows}
        wanted = self._credited()
        wanted[UNCLAIMED] = wanted.pop(None, 0) + self._intents.happened
        for account in sorted({*posted, *(key for key in wanted if key is not None)}):
            if posted.get(account, 0) != wanted.get(account, 0):
                yield f"account {account} was credited {posted.get(account, 0)} of deposits, not {wanted.get(account, 0)}"

    # Transfers

    def _key(self, transfer: Transfer) -> str:
        return f"m:{self._city.account.user.id}:{self._chat_id(transfer)}:{transfer.message.id}"

    def _chat_id(self, transfer: Transfer) -> int:
        return transfer.source if transfer.chat.type == "private" else transfer.chat.id

    def _entry(self, books: Reader, key: str) -> Any:
        rows = books.select(
            "SELECT t.* FROM entries AS e JOIN transactions AS t ON t.entry_id = e.id WHERE e.key = ?", (key,)
        )
        return rows[0] if rows else None

    def _transfers(self, books: Reader) -> Iterator[str]:
        keys = set()
        for transfer in self._intents.transfers:
            key = self._key(transfer)
            keys.add(key)
            row = self._entry(books, key)
            if row is None:
                yield from self._unmoved(books, transfer, key)
            else:
                yield from self._moved(books, transfer, row)
        posted = books.select(
            "SELECT e.key FROM transactions AS t JOIN entries AS e ON e.id = t.entry_id WHERE t.kind = 'transfer'"
        )
        for row in posted:
            if row[0] not in keys:
                yield f"nobody meant the transfer {row[0]}"
        if len(posted) != len({row[0] for row in posted}):
            yield "a transfer was posted twice"

    def _moved(self, books: Reader, transfer: Transfer, row: Any) -> Iterator[str]:
        if not transfer.valid:
            yield f"{transfer.message.text!r} must never move anything"
        if (row["from_id"], row["to_id"]) != (transfer.source, transfer.destination):
            yield f"{transfer.message.text!r} moved from {row['from_id']} to {row['to_id']}"
        if transfer.amount is None and not self._was_all(books, transfer, row):
            yield f"{transfer.message.text!r} left {row['from_after']}"
        if row["at"] - transfer.message.at * 1000 > OLD_MS + _LATE_MS:
            yield f"{transfer.message.text!r} was executed though it was old and nobody was asked"
        if transfer.amount not in (None, row["amount"]):
            yield f"{transfer.message.text!r} moved {row['amount']}"

    def _unmoved(self, books: Reader, transfer: Transfer, key: str) -> Iterator[str]:
        inbox = books.select("SELECT state, code, received_at, done_at FROM inbox WHERE key = ?", (key,))
        if not inbox:
            yield f"{transfer.message.text!r} ({key}) never came in"
            return
        row = inbox[0]
        if not transfer.valid or row["code"] in ("too_many", "self_transfer"):
            return
        asked = row["state"] == "done" and row["done_at"] - transfer.message.at * 1000 > OLD_MS
        if asked:
            return
        if row["code"] not in ("insufficient_balance", "nothing_to_send", "amount_nothing"):
            yield f"{transfer.message.text!r} ended as {row['state']} {row['code']}"
        elif not self._was_short(
            books, transfer.source, transfer.amount or 1, row["received_at"], row["done_at"]
        ):
            yield f"{transfer.message.text!r} was refused although the money was there"

    def _was_all(self, books: Reader, transfer: Transfer, row: Any) -> bool:
        """Tell whether ``row`` moved all that there was, at the commit or when the command was read."""
        read = books.select("SELECT received_at FROM inbox WHERE key = ?", (self._key(transfer),))
        later = books.select(
            "SELECT ifnull(sum(iif(to_id = :id, amount, -amount)), 0) FROM transactions"
            " WHERE denom = :denom AND (from_id = :id OR to_id = :id) AND at >= :since AND id < :row",
            {"id": transfer.source, "denom": DENOM, "since": read[0][0], "row": row["id"]},
        )
        return bool(row["from_after"] == 0 or (later and 0 < row["from_after"] <= later[0][0]))

    def _was_short(self, books: Reader, account: int, amount: int, since: int, until: int) -> bool:
        """Tell whether ``account`` had less than ``amount`` at some moment between ``since`` and ``until``."""
        after = books.select(
            "SELECT at, iif(from_id = :id, from_after, to_after) AS after FROM transactions"
            " WHERE denom = :denom AND (from_id = :id OR to_id = :id) AND at <= :until ORDER BY id",
            {"id": account, "denom": DENOM, "until": until},
        )
        before = [row["after"] for row in after if row["at"] < since]
        during = [row["after"] for row in after if row["at"] >= since]
        lowest: int = min([before[-1] if before else 0, *during])
        return lowest < amount

    # Withdrawals

    def _payments(self, books: Reader) -> Iterator[str]:
        for payment in self._intents.payments:
            yield from self._payment(books, payment)
        known = {payment.address for payment in self._intents.payments}
        for row in books.select("SELECT address FROM withdrawals"):
            if row[0] not in known:
                yield f"nobody asked for the withdrawal to {row[0]}"

    def _payment(self, books: Reader, payment: Payment) -> Iterator[str]:
        rows = books.select("SELECT * FROM withdrawals WHERE address = ?", (payment.address,))
        raw = bech32.decode(payment.address, SANDBOX_PARAMETERS.prefix)
        received = state.balance(self._city.node.chain.latest(), raw, DENOM)
        if len(rows) > 1:
            yield f"{payment.message.text!r} was asked for {len(rows)} times"
        if not rows:
            if received:
                yield f"{payment.address} got {received} that no withdrawal explains"
            elif payment.confirmed:
                yield from self._unasked(books, payment)
            return
        row = rows[0]
        if not books.select(_CANCELLED_TOO_LATE, (payment.source,)):
            yield from self._tracked(payment, row)
        first = self._tap(books, payment)
        if not payment.confirmed and (first is None or first["code"] != "too_many"):
            yield f"{payment.message.text!r} was never confirmed, and is {row['state']}"
        if (row["account"], row["amount"], row["fee"]) != (payment.source, payment.amount, FEE):
            yield f"{payment.message.text!r} became {row['amount']} with {row['fee']} of {row['account']}"
        paid = payment.amount if row["state"] == "confirmed" else 0
        if row["state"] not in ("confirmed", "returned", "cancelled") or received != paid:
            yield f"{payment.message.text!r} is {row['state']}, and {received} arrived"

    def _tap(self, books: Reader, payment: Payment) -> Any:
        """Return the inbox row of the first tap under the question."""
        if not payment.taps:
            return None
        rows = books.select(
            "SELECT state, code, received_at, done_at FROM inbox WHERE sender = ? AND instr(raw, ?) > 0",
            (payment.source, payment.taps[0]),
        )
        return rows[0] if rows else None

    def _unasked(self, books: Reader, payment: Payment) -> Iterator[str]:
        """Tell what is wrong when somebody said yes and no withdrawal was made: only a good reason is none."""
        tap = self._tap(books, payment)
        if tap is None:
            yield f"the yes to {payment.message.text!r} never came in"
        elif tap["code"] in ("too_many", "button_expired"):
            return
        elif tap["code"] != "insufficient_balance":
            yield f"the yes to {payment.message.text!r} ended as {tap['state']} {tap['code']}"
        elif not self._was_short(
            books, payment.source, payment.amount + FEE, tap["received_at"], tap["done_at"]
        ):
            yield f"{payment.message.text!r} was refused although the money was there"

    def _tracked(self, payment: Payment, row: Any) -> Iterator[str]:
        """The member must have been told how it ended."""
        told = f"Withdrawal {row['id']} · {_TOLD_ENDS.get(row['state'], row['state'])}"
        person = next(each for each in self._people.people if each.id == payment.source)
        if not any(told in message.text for message in self._city.telegram.replies(person.chat)):
            yield f"nobody was told: {told}"

    # Everything together

    def _balances(self, books: Reader) -> Iterator[str]:
        """Compare every balance with what people meant and what became of it."""
        own = self._owned(books)
        for person in self._people.people:
            balance = books.balance(AccountId(person.id), DENOM)
            if balance != own[person.id]:
                yield f"{person.user.first_name} owns {balance}, but should own {own[person.id]}"
        for account in (BOT_TREASURY, REWARDS_POOL):
            if books.balance(account, DENOM) < 0:
                yield f"account {account} is below zero"

    def _owned(self, books: Reader) -> dict[int, int]:
        own: dict[int, int] = defaultdict(int)
        for account, amount in self._credited().items():
            own[UNCLAIMED if account is None else account] += amount
        for transfer in self._intents.transfers:
            row = self._entry(books, self._key(transfer))
            if row is not None:
                own[transfer.source] -= row["amount"]
                own[transfer.destination] += row["amount"]
        for payment in self._intents.payments:
            rows = books.select("SELECT state FROM withdrawals WHERE address = ?", (payment.address,))
            if rows and rows[0][0] == "confirmed":
                own[payment.source] -= payment.amount + FEE
        for account, network_fee in books.select(_LOST_BY_RETURNS):
            own[account] -= network_fee
        return own

    def _commands(self, books: Reader) -> Iterator[str]:
        for row in books.select("SELECT key FROM inbox WHERE state = 'new'"):
            yield f"{row[0]} was never answered"
        for row in books.select("SELECT id, event, state FROM outbox WHERE state IN ('pending', 'dropped')"):
            yield f"news {row['id']} ({row['event']}) is {row['state']}"

    def _words(self, books: Reader) -> Iterator[str]:
        """What people were told must be so: a receipt names a transfer that stands, and who paid has one."""
        told: dict[int, set[int]] = defaultdict(set)
        doubled = 0
        chats = [self._people.plaza, *(person.chat for person in self._people.people)]
        for chat in chats:
            shown = [
                message for message in self._city.telegram.replies(chat) if _RECEIPT.search(message.text)
            ]
            doubled += len(shown) - len({message.text for message in shown})
            for message in shown:
                for receipt in _RECEIPT.findall(message.text):
                    told[int(receipt)].add(chat.person or 0)
        if doubled > self._city.excuses:
            yield f"{doubled} receipts were told again, but only {self._city.excuses} sendings may have been in doubt"
        standing = {
            row["entry_id"]: row["from_id"]
            for row in books.select("SELECT entry_id, from_id FROM transactions WHERE kind = 'transfer'")
        }
        yield from self._recipients_told(books, told)
        for receipt in sorted(told.keys() - standing.keys()):
            yield f"receipt {receipt} was told, but no such transfer stands"
        for receipt in sorted(standing.keys() - told.keys()):
            yield f"transfer {receipt} stands, but nobody was told"

    def _recipients_told(self, books: Reader, told: dict[int, set[int]]) -> Iterator[str]:
        """Who was paid in private reads of it in a chat of their own."""
        for transfer in self._intents.transfers:
            row = self._entry(books, self._key(transfer)) if transfer.chat.type == "private" else None
            if row is not None and transfer.destination not in told[row["entry_id"]]:
                yield f"{transfer.destination} was never told of {transfer.message.text!r}"
