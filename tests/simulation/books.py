"""The program's books at a quiet point, read only, with what the model asks of them again and again."""

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from ledger.accounts import AccountId
from ledger.money import Asset, Denom, format_amount
from sandbox.telegram import Chat, Message
from tests.simulation.city import DENOM, City
from tests.simulation.losses import queries
from tests.simulation.people import People
from tests.simulation.witness import Witness

_RECEIPT: Final = re.compile(r"Receipt (\d+)")
_JUNO: Final = Asset(Denom(DENOM), "JUNO", 6)
_POSTING: Final = "SELECT t.* FROM entries AS e JOIN transactions AS t ON t.entry_id = e.id WHERE e.key = ?"
_CODE: Final = """
iif(code = 'command_paused' AND EXISTS (
    SELECT 1 FROM pauses WHERE paused_at - :moved <= done_at AND ifnull(lifted_at, done_at) + :moved >= received_at
), 'too_many', code) AS code
"""
"""What a pause stopped was told so and did nothing, as what came too fast; without a pause it stays what it is."""
_COMMANDS: Final = f"""
WITH replies AS MATERIALIZED (
    SELECT json_extract(facts, '$.reference') AS reference, id AS place, json_extract(facts, '$.say') AS say
    FROM outbox WHERE event = 'reply' ORDER BY 1
)
SELECT key, sender, raw, state, {_CODE}, received_at, done_at, place, say FROM inbox
LEFT JOIN replies ON reference = inbox.id
"""
"""``place`` is the answer's in the order of commits, ``say`` its sentence; both are NULL without one."""
_FROZEN: Final = """
SELECT 1 FROM freezes WHERE reason = 'ordered' AND ifnull(account, :account) = :account AND frozen_at <= :until
    AND ifnull(lifted_at, :until) >= :since
LIMIT 1
"""
_BALANCES: Final = """
SELECT at, iif(from_id = :id, from_after, to_after) AS after FROM transactions
WHERE denom = :denom AND (from_id = :id OR to_id = :id) AND at <= :until ORDER BY id
"""
_MOVES: Final = """
SELECT iif(from_id = :id, -amount, amount) AS change, iif(from_id = :id, from_after, to_after) AS after, kind, at
FROM transactions WHERE denom = :denom AND (from_id = :id OR to_id = :id) ORDER BY id DESC
"""


class Books:
    """Books, chain and chats as they are now."""

    def __init__(self, city: City, people: People, witness: Witness) -> None:
        self._reader = city.reader()
        self._city = city
        self._people = people
        self._bot = city.account.user.id
        self.chain = witness
        self.doubled = 0
        """How many receipts stand in a chat again."""
        self.told: dict[int, set[int]] = defaultdict(set)
        """By receipt, whose private chats show it; 0 for a group. What only lost books told is not among it."""
        self.receipts: dict[int, list[str]] = defaultdict(list)
        """By receipt, the messages that show it."""
        self.losses = people.losses
        self._texts: dict[str, list[str]] = {}
        self._read_receipts()

    def select(self, sql: str, parameters: Any = ()) -> list[Any]:
        """Run a SELECT; rows allow access by column name."""
        return self._reader.select(sql, parameters)

    def balances(self) -> dict[int, int]:
        """Return every balance that is not 0, by account."""
        rows = self.select("SELECT user_id, balance FROM user_balances WHERE denom = ?", (DENOM,))
        return {row["user_id"]: row["balance"] for row in rows if row["balance"]}

    def total(self) -> int:
        """Return what the books say the treasury holds."""
        return self._reader.total(DENOM)

    def balance(self, account: int) -> int:
        """Return what ``account`` owns."""
        return self._reader.balance(AccountId(account), DENOM)

    # What became of a message, or of a press

    def key(self, message: Message, chat: Chat) -> str:
        """Return the key of the act that ``message`` asks for."""
        return f"m:{self._bot}:{chat.person or chat.id}:{message.id}"

    def postings(self, key: str) -> list[Any]:
        """Return the postings under ``key``."""
        return self.select(_POSTING, (key,))

    def command(self, key: str) -> Any:
        """Return state, code, received_at, done_at, place, say of the command under ``key``; None: it never came in."""
        return self._commands.get(key)

    def press(self, account: int, query: str) -> Any:
        """Return the same of a press of a button, by the id of its query."""
        return self._presses.get((account, query))

    def forgot(self, account: int, query: str) -> bool:
        """Tell whether the books that took a press are lost, and these did not take it: the press after it counts."""
        row = self.press(account, query)
        return self.losses.has_press(query) and (row is None or row["code"] == "button_used")

    @cached_property
    def _commands(self) -> Mapping[str, Any]:
        return {row["key"]: row for row in self.select(_COMMANDS, {"moved": self._city.moved_ms})}

    @cached_property
    def _presses(self) -> Mapping[tuple[int, str], Any]:
        return {
            (row["sender"], query): row for row in self._commands.values() for query in queries(row["raw"])
        }

    def was_short(self, account: int, amount: int, since: int, until: int) -> bool:
        """Tell whether ``account`` had less than ``amount`` at some moment between ``since`` and ``until``."""
        return min(self.owned(account, since, until)) < amount

    def owned(self, account: int, since: int, until: int) -> list[int]:
        """Return what ``account`` had between ``since`` and ``until``, one after another; the first is from before."""
        since, until = since - self._city.moved_ms, until + self._city.moved_ms
        after = self.select(_BALANCES, {"id": account, "denom": DENOM, "until": until})
        before = [row["after"] for row in after if row["at"] < since]
        during = [row["after"] for row in after if row["at"] >= since]
        return [before[-1] if before else 0, *during]

    def moves(self, account: int) -> list[tuple[int, int, str, int]]:
        """Return what moved the balance of ``account``, newest first: the change, what it left, the kind, when."""
        rows = self.select(_MOVES, {"id": account, "denom": DENOM})
        return [(row["change"], row["after"], row["kind"], row["at"]) for row in rows]

    def was_frozen(self, account: int, since: int, until: int) -> bool:
        """Tell whether somebody had ordered that ``account`` takes nothing out, at some moment in between."""
        moved = self._city.moved_ms
        wanted = {"account": account, "since": since - moved, "until": until + moved}
        return bool(self.select(_FROZEN, wanted))

    def paid(self, account: int) -> set[str]:
        """Return the amounts that ``account`` paid or was paid, as people read them."""
        return {shown(abs(change)) for change, _, _, _ in self.moves(account)}

    # What people were told

    def _read_receipts(self) -> None:
        chats = [
            self._people.plaza,
            self._people.office,
            self._people.owner.chat,
            *(person.chat for person in self._people.all),
        ]
        for chat in chats:
            shown = [
                message for message in self._city.telegram.replies(chat) if _RECEIPT.search(message.text)
            ]
            self.doubled += len(shown) - len({message.text for message in shown})
            for message in shown:
                for receipt in map(int, _RECEIPT.findall(message.text)):
                    if self.losses.may_repeat(receipt, message.changed):
                        self.told[receipt].add(chat.person or 0)
                        self.receipts[receipt].append(message.text)

    def texts(self, chat: Chat) -> list[str]:
        """Return what the bot's messages in ``chat`` say."""
        if chat.key not in self._texts:
            self._texts[chat.key] = [message.text for message in self._city.telegram.replies(chat)]
        return self._texts[chat.key]

    def was_told(self, account: int, *words: str) -> bool:
        """Tell whether some message in the private chat of ``account`` has all ``words`` in it."""
        return self.says(self._people.by_id(account).chat, *words)

    def reads(self, account: int, *words: str) -> bool:
        """Tell whether ``account`` alone was shown some message that has all ``words`` in it, here or in the group."""
        shown = [
            *self.texts(self._people.by_id(account).chat),
            *(
                message.text
                for message in self._city.telegram.replies(self._people.plaza)
                if message.receiver == account
            ),
        ]
        return any(all(each in text for each in words) for text in shown)

    def says(self, chat: Chat, *words: str) -> bool:
        """Tell whether some message of the bot in ``chat`` has all ``words`` in it."""
        return any(all(each in text for each in words) for text in self.texts(chat))

    def alerted(self, reason: str) -> bool:
        """Tell whether the office was alerted to what somebody ordered for ``reason``."""
        line = f"reason: {reason}"
        return any(
            text.startswith("⚠️") and line in text.splitlines() for text in self.texts(self._people.office)
        )


def shown(amount: int) -> str:
    """Return base units as people read them."""
    return format_amount(amount, _JUNO)
