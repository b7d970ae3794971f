"""What people are told: the outbox and its one reader."""

from typing import Final

from tests.simulation.planting import Edit, Mistake

MISTAKES: Final = (
    Mistake(
        "outbox row after the commit",
        12,
        (
            Edit(
                "bot/dispatch.py",
                "            rows = slip.rows(view, answer)\n            told.append(answer)\n",
                "            rows = slip.rows(view, answer)\n            told.append(answer)\n"
                "            late[:] = [row for row in rows if 'INTO outbox' in row.sql]\n"
                "            rows = [row for row in rows if 'INTO outbox' not in row.sql]\n",
            ),
            Edit(
                "bot/dispatch.py",
                "        told: list[Answer | Refused] = []\n",
                "        told: list[Answer | Refused] = []\n        late: list[Row] = []\n",
            ),
            Edit(
                "bot/dispatch.py",
                "            await result.perform(beside)\n",
                "            await result.perform(beside)\n"
                "            await self._bank.service.journal.submit(Unit(lambda view: Decision(None, rows=tuple(late))))\n",
            ),
        ),
    ),
    Mistake(
        "marked as sent before sending",
        8,
        (
            Edit(
                "bot/notifier.py",
                "        await self._settle(pending, await self.delivery(pending), began)\n",
                '        await self._settle(pending, Verdict("sent"), began)\n        await self.delivery(pending)\n',
            ),
        ),
    ),
    Mistake(
        "what was refused while its reader came back stays behind",
        32,
        (
            Edit(
                "bot/notifier.py",
                'state == "undeliverable" and outbox.wrote_since(view, pending.recipient, began)',
                "False",
            ),
        ),
        "as it was until a seed found it",
    ),
    Mistake(
        "what cannot be delivered is dropped",
        8,
        (
            Edit(
                "bot/delivery.py",
                'return Verdict("undeliverable", why=str(error))',
                'return Verdict("sent", why=str(error))',
            ),
        ),
    ),
    Mistake(
        "two instances tell everything",
        40,
        (
            Edit(
                "bot/notifier.py",
                "            except LeaseLost:\n                self.tenure.forget()\n                return False\n",
                "            except LeaseLost:\n                return True\n",
            ),
        ),
    ),
    Mistake(
        "who is paid reads what the payer has left",
        4,
        (
            Edit(
                "bot/commands/send.py",
                'told = {**facts, "amount": outcome.amount, "receipt": outcome.entry_id}',
                'told = {**facts, "amount": outcome.source_after, "receipt": outcome.entry_id}',
            ),
        ),
    ),
    Mistake(
        "who pays reads what the other has",
        4,
        (
            Edit(
                "bot/commands/send.py",
                'told["left"] = receipt.source_after',
                'told["left"] = receipt.destination_after',
            ),
        ),
    ),
    Mistake(
        "who is paid in a group that they are not in hears nothing",
        4,
        (
            Edit(
                "bot/delivery.py",
                "if READ_IN in pending.facts and await self._reads(pending.facts[READ_IN], pending.recipient):",
                "if READ_IN in pending.facts:",
            ),
        ),
    ),
    Mistake(
        "a balance is told to the group",
        4,
        (
            Edit(
                "bot/commands/balance.py",
                '"waiting": waiting}, private=True)',
                '"waiting": waiting})',
            ),
        ),
    ),
    Mistake(
        "a balance lacks what moved it last",
        8,
        (
            Edit(
                "bot/commands/balance.py",
                "service.reader.balance(context.account, asset.denom))\n",
                "sum(\n            each.balance_after - each.change\n"
                "            for each in service.reader.history(context.account, asset.denom, limit=1)\n        ))\n",
            ),
        ),
    ),
    Mistake(
        "a line of the history says what was there before it",
        4,
        (
            Edit(
                "bot/pages.py",
                '"after": line.balance_after,',
                '"after": line.balance_after - line.change,',
            ),
        ),
    ),
    Mistake(
        "a long history leaves out its newest line",
        8,
        (
            Edit(
                "bot/pages.py",
                "shown = lines[:PAGE]",
                "shown = lines[-PAGE:]",
            ),
        ),
    ),
    Mistake(
        "who appoints is told instead of who was appointed",
        4,
        (
            Edit(
                "ledger/users.py",
                'news("role.changed", account,',
                'news("role.changed", by.account,',
            ),
        ),
    ),
)
