"""Coins out: holds, signatures, time-outs, and what ends a withdrawal."""

from typing import Final

from tests.simulation.planting import Edit, Mistake

MISTAKES: Final = (
    Mistake(
        "the balance is checked before the commit, not at it",
        8,
        (
            Edit(
                "ledger/withdrawals.py",
                "    balance = view.balance(request.account, request.denom)\n    if balance < needed:\n",
                "    balance = view.balance(request.account, request.denom)\n    if False:\n",
            ),
            Edit(
                "ledger/view.py",
                "                    if from_after < 0 and source != SYSTEM_RESERVE:\n",
                "                    if False:\n",
            ),
        ),
        "book and writer both look; without them the database refuses, and the program stops",
    ),
    Mistake(
        "a signed withdrawal can be cancelled",
        8,
        (
            Edit(
                "ledger/withdrawals.py",
                "    if asked.state not in CANCELLABLE or is_locked(view, withdrawal):\n",
                "    if asked.state not in (*CANCELLABLE, WithdrawalState.SIGNED):\n",
            ),
        ),
        "state and lock both forbid it",
    ),
    Mistake(
        "refund on time-out",
        8,
        (
            Edit(
                "chain/sender.py",
                "        concern = concern_of(answers) if judged else None\n",
                "        if any(each.verdict is Verdict.UNKNOWN for each in answers.answers):\n"
                "            await self._payments.give_back(fence, signed.hash)\n"
                "        concern = concern_of(answers) if judged else None\n",
            ),
            Edit(
                "chain/sender.py",
                "from chain.coins import ChainCoin\n",
                "from chain.client import Verdict\nfrom chain.coins import ChainCoin\n",
            ),
            Edit(
                "ledger/payments.py",
                "    async def mark_broadcast(self",
                "    async def give_back(self, fence: Fence, transaction: str) -> None:\n"
                "        from ledger.inclusions import END\n"
                "        from ledger.withdrawals import end, hold_posting\n"
                "        def decide(view: View) -> Decision[None]:\n"
                "            draft = Draft(view)\n"
                "            draft.write(Row(END, ('expired', 1, None, transaction), changes=1))\n"
                "            for each in paid_by(view, transaction):\n"
                "                end(draft, each, WithdrawalState.RETURNED, hold_posting(each, each.account, each.held))\n"
                "                tell(draft, 'withdrawal.returned', each, returned=each.held, reason='expired')\n"
                "            return Decision(None, tuple(draft.entries), tuple(draft.rows))\n"
                "        await self._journal.submit(Unit(decide), Lane.SYSTEM)\n\n"
                "    async def mark_broadcast(self",
            ),
        ),
    ),
    Mistake(
        "new sequence without death proof",
        8,
        (
            Edit(
                "ledger/inclusions.py",
                "    passed = height > timeout and proof.proved",
                "    passed = height > attempts[0].signed.signed_height + 2 and proof.proved",
            ),
        ),
    ),
    Mistake(
        "timeout off by one",
        24,
        (
            Edit(
                "ledger/inclusions.py",
                "    passed = height > timeout and proof.proved",
                "    passed = height >= timeout - 1 and proof.proved",
            ),
        ),
        "at the timeout itself the verified block is proof enough; one block earlier it is not",
    ),
    Mistake(
        "other bytes instead of the stored ones",
        8,
        (
            Edit(
                "chain/sender.py",
                "        answers = await self._broadcaster.broadcast(signed.bytes)\n",
                "        again = self._signed(Plan(tuple(self._payments.paid_by(signed.hash)), quote(self._parameters, 1)), cursor)\n"
                "        first = signed.signed_height == cursor.height\n"
                "        answers = await self._broadcaster.broadcast(signed.bytes if first else again.bytes)\n",
            ),
        ),
        "a signature with another nonce does the same: the books do not know the hash",
    ),
    Mistake(
        "own transactions known by the node's hash",
        32,
        (
            Edit(
                "chain/inbound.py",
                "        return Inclusion(position, canonical_hash(raw), shown, code)\n",
                "        return Inclusion(position, shown, shown, code)\n",
            ),
        ),
    ),
    Mistake(
        "included means paid",
        12,
        (
            Edit(
                "ledger/inclusions.py",
                "(each for each in ours if each.canonical == attempt.signed.hash and not each.code), None\n",
                "(each for each in ours if each.canonical == attempt.signed.hash), None\n",
            ),
        ),
    ),
    Mistake(
        "a failed ante taken for a failed payment",
        24,
        (
            Edit(
                "ledger/inclusions.py",
                "    if not attempts or proof.proved is None or",
                "    mine = [each for each in ours if each.canonical == attempts[0].signed.hash] if attempts else []\n"
                '    if mine:\n        return _Fate("failed", mine[-1]), attempts[0]\n'
                "    if not attempts or proof.proved is None or",
            ),
        ),
    ),
    Mistake(
        "network fee not booked",
        4,
        (
            Edit(
                "ledger/inclusions.py",
                "    amount = Amount(min(fee, draft.balance(BOT_TREASURY, denom)))\n",
                "    amount = Amount(0)\n",
            ),
        ),
    ),
    Mistake(
        "everything returned though the fee was paid",
        12,
        (
            Edit(
                "ledger/inclusions.py",
                "    fee = attempt.signed.fee if fate.inclusion else 0\n    pending",
                "    fee = 0\n    pending",
            ),
        ),
    ),
    Mistake(
        "a memo is lost when its withdrawal is signed",
        4,
        (
            Edit(
                "chain/sender.py",
                "            memo=plan.withdrawals[0].memo,\n",
                "",
            ),
        ),
        "an exchange would not know whose it is",
    ),
    Mistake(
        "a memo is lost between question and yes",
        4,
        (
            Edit(
                "bot/commands/withdraw.py",
                '        shown["memo"],\n',
                '        "",\n',
            ),
        ),
    ),
    Mistake(
        "the question tells the amount as the total",
        4,
        (
            Edit(
                "bot/commands/withdraw.py",
                '"total": amount + terms.fee, "left"',
                '"total": amount, "left"',
            ),
        ),
    ),
    Mistake(
        "the question does not show the memo",
        4,
        (
            Edit(
                "bot/commands/withdraw.py",
                '    facts = {**_arguments(asked), "total"',
                '    facts = {**_arguments(asked._replace(memo="")), "total"',
            ),
        ),
    ),
    Mistake(
        "who gets a part back reads that all of it came back",
        4,
        (
            Edit(
                "ledger/inclusions.py",
                '            "returned": each.held - share,\n',
                '            "returned": each.held,\n',
            ),
        ),
    ),
    Mistake(
        "who cancels reads of the amount without the fee",
        8,
        (
            Edit(
                "ledger/withdrawals.py",
                '    tell(draft, "withdrawal.cancelled", asked, returned=asked.held)\n',
                '    tell(draft, "withdrawal.cancelled", asked, returned=asked.amount)\n',
            ),
        ),
    ),
    Mistake(
        "what failed together is tried together again",
        6,
        (
            Edit(
                "ledger/sql/inclusions.sql",
                "state = 'queued', alone = 1,",
                "state = 'queued',",
            ),
        ),
    ),
)
