"""Planted mistakes: proof that the simulation can fail. Each is a small patch that a seed must catch.

A patch is applied to a copy of the program, which then runs in the city as it is. What survives is a hole in people,
troubles or checks. Some rules of the program are kept twice, by the code and by the database: there one removal alone
changes nothing, so the mistake removes both, and its row says so.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
COPIED: Final = ("bot", "ledger", "chain", "migrations", "sandbox", "tests/simulation")
STEPS: Final = 300
HANGS_AFTER_SECONDS: Final = 300


class Edit(NamedTuple):
    """One replacement: ``old`` stands exactly once in ``path``."""

    path: str
    old: str
    new: str


class Mistake(NamedTuple):
    """A mistake, and within how many seeds, counted from 1, it must be caught. ``note``: what makes it a real one."""

    name: str
    within: int
    edits: tuple[Edit, ...]
    note: str = ""


class Caught(NamedTuple):
    """The first seed that found a mistake, and what it said."""

    seed: int
    check: str


NOT_KEYED: Final = (
    Edit(
        "bot/dispatch.py",
        "        if not inbox.is_new(view, self.item):\n            raise AnsweredElsewhere",
        "        if False:\n            raise AnsweredElsewhere",
    ),
    Edit(
        "bot/dispatch.py",
        "        if not inbox.is_new(self._bank.service.reader, item):\n            return\n",
        "",
    ),
)
"""Takes away that a row of the inbox is answered once."""

UNCLOSED: Final = (
    Edit(
        "bot/buttons.py",
        '    if button.state == "used":\n        raise Refused("button_used")\n',
        "",
    ),
    Edit(
        "bot/dispatch.py",
        "        if question is not None and not buttons.is_open(view, question):\n",
        "        if False:\n",
    ),
)
"""Takes away that a question is answered once."""

MISTAKES: Final = (
    Mistake(
        "no key",
        8,
        (
            Edit(
                "bot/inbox.py",
                'return f"m:{bot}:{deed.chat.id}:{deed.message}"',
                'return f"m:{bot}:{deed.chat.id}:{deed.message}:{intent.update}"',
            ),
        ),
        "the key is the delivery's instead of the message's",
    ),
    Mistake(
        "key without digest",
        8,
        (
            Edit("bot/buttons.py", 'return f"b:{self.id}" if', 'return f"b:{presser}" if'),
            Edit("ledger/writer.py", "    if digest != unit.digest:\n", "    if False:\n"),
        ),
        "a key that is too coarse raises Conflict as long as digests are compared",
    ),
    Mistake(
        "retry with a new key",
        8,
        (
            *NOT_KEYED,
            *UNCLOSED,
            Edit(
                "bot/buttons.py",
                'return f"b:{self.id}" if',
                'return f"b:{self.id}:{self.state}:{id(self)}" if',
            ),
        ),
        "inbox row and question keep a second answer away, too",
    ),
    Mistake(
        "offset confirmed before the commit",
        12,
        (
            Edit(
                "bot/fetch.py",
                "        await self._keep(arrivals, batch)\n        self._offset = _next_offset(batch, self._offset)\n",
                "        self._offset = _next_offset(batch, self._offset)\n        await self._keep(arrivals, batch)\n",
            ),
        ),
    ),
    Mistake(
        "inbox row done before the act",
        12,
        (
            *NOT_KEYED,
            Edit(
                "bot/dispatch.py",
                "            await result.perform(beside)\n",
                "            closing = inbox.close(slip.item, None, self._clock.now())\n"
                "            await self._bank.service.journal.submit(Unit(lambda view: Decision(None, rows=(closing,))))\n"
                "            await result.perform(beside)\n",
            ),
        ),
    ),
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
        "rows left behind are not resumed",
        12,
        (
            Edit(
                "bot/fetch.py",
                "            self._resuming, self._resumed, self._offset = True, 0, None\n",
                "            self._resuming, self._resumed, self._offset = False, 0, None\n",
            ),
        ),
    ),
    Mistake(
        "busy books taken for a refusal",
        12,
        (
            Edit(
                "bot/lanes.py",
                "        except (Unavailable, BrokenInvariant):\n            raise\n",
                "        except BrokenInvariant:\n            raise\n",
            ),
        ),
    ),
    Mistake(
        "an edited command executes",
        6,
        (
            Edit(
                "bot/dispatch.py",
                "            self._edited(typed)\n            return None\n",
                "            pass\n",
            ),
        ),
    ),
    Mistake(
        "a forwarded command executes",
        6,
        (Edit("bot/dispatch.py", " or said.forwarded or said.via_bot:", ":"),),
    ),
    Mistake(
        "an old command executes unasked",
        16,
        (
            Edit(
                "bot/dispatch.py",
                "old = old_asks and command.moves_money and self._clock.now() - said.at > OLD_MS",
                "old = False",
            ),
        ),
    ),
    Mistake(
        "whose button it is goes unchecked",
        8,
        (
            Edit(
                "bot/buttons.py",
                '    if button.owner not in (None, presser):\n        raise Refused("button_not_yours")\n',
                "",
            ),
        ),
    ),
    Mistake(
        "a question can be answered twice",
        6,
        UNCLOSED,
        "yes after no; two times yes has one key",
    ),
    Mistake(
        "marked as sent before sending",
        8,
        (
            Edit(
                "bot/notifier.py",
                "        await self._settle(pending, await self._deliver(pending), began)\n",
                '        await self._settle(pending, Verdict("sent"), began)\n        await self._deliver(pending)\n',
            ),
        ),
    ),
    Mistake(
        "what cannot be delivered is dropped",
        8,
        (
            Edit(
                "bot/notifier.py",
                'return Verdict("undeliverable", why=str(error))',
                'return Verdict("sent", why=str(error))',
            ),
        ),
    ),
    Mistake(
        "two instances tell everything",
        8,
        (
            Edit(
                "bot/notifier.py",
                "            except LeaseLost:\n                self.tenure.forget()\n                return False\n",
                "            except LeaseLost:\n                return True\n",
            ),
        ),
    ),
    Mistake(
        "poison stops the fetch loop",
        4,
        (
            Edit(
                "bot/fetch.py",
                '        return Arrival(f"u:{bot}:{number}", number, text[: inbox.LONGEST_RAW], None, str(error))\n',
                "        raise error\n",
            ),
        ),
    ),
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
        "lease without fencing token",
        12,
        (
            Edit(
                "ledger/leases.py",
                '    if not rows or rows[0]["fence"] != fence.token or rows[0]["holder"] != fence.holder:\n',
                "    if not rows:\n",
            ),
            Edit(
                "ledger/blocks.py",
                "    if cursor is not None and facts.height <= cursor.height:\n        return Decision(outcome=False)\n"
                "    if cursor is None or facts.height != cursor.height + 1:\n",
                "    if cursor is None:\n",
            ),
        ),
        "the cursor alone would keep a second scanner away",
    ),
    Mistake(
        "cursor in another transaction",
        16,
        (
            Edit(
                "ledger/blocks.py",
                "        unit = Unit(lambda view: decide_block(view, fence, facts, self.listed))\n"
                "        return await self._journal.submit(unit, Lane.SYSTEM)\n",
                "        def posted(view: View) -> Decision[bool]:\n"
                "            done = decide_block(view, fence, facts, self.listed)\n"
                "            kept.extend(done.rows[-1:])\n"
                "            return Decision(done.outcome, done.entries, done.rows[:-1])\n"
                "        kept: list[Row] = []\n"
                "        await self._journal.submit(Unit(posted), Lane.SYSTEM)\n"
                "        return await self._journal.submit(Unit(lambda view: Decision(True, (), tuple(kept[-1:]))), Lane.SYSTEM)\n",
            ),
            Edit("ledger/deposits.py", "        if arrival.identity not in seen:\n", "        if True:\n"),
        ),
        "what was credited before is passed over as well; without that the key of the entry stops the program",
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
                "    if place.height > timeout and proof.sequence",
                "    if place.height > attempts[0].signed.signed_height + 2 and proof.sequence",
            ),
        ),
    ),
    Mistake(
        "timeout off by one",
        24,
        (
            Edit(
                "ledger/inclusions.py",
                "    if place.height > timeout and proof.sequence",
                "    if place.height >= timeout - 1 and proof.sequence",
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
        8,
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
                "    if not attempts or proof.sequence is None:\n",
                "    mine = [each for each in ours if each.canonical == attempts[0].signed.hash] if attempts else []\n"
                '    if mine:\n        return _Fate("failed", mine[-1]), attempts[0]\n'
                "    if not attempts or proof.sequence is None:\n",
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
                "    fee = attempt.signed.fee if fate.inclusion else 0\n    for each in paid:\n",
                "    fee = 0\n    for each in paid:\n",
            ),
        ),
    ),
    Mistake(
        "failed deposits are credited",
        8,
        (
            Edit(
                "chain/inbound.py",
                "        if outcome.code == 0:\n            arrivals += read_arrivals(raw, treasury)\n",
                "        arrivals += read_arrivals(raw, treasury)\n",
            ),
        ),
    ),
    Mistake(
        "deposits are credited by events",
        12,
        (
            Edit(
                "chain/scanner.py",
                "            arrivals=inbound.arrivals,\n",
                "            arrivals=(*inbound.arrivals, *self._told(block)),\n",
            ),
            Edit(
                "chain/scanner.py",
                "    async def _claims(self",
                "    def _told(self, block: VerifiedBlock) -> list[Any]:\n"
                "        from ledger.deposits import Arrival\n"
                "        known = {each.sender for each in read_block(block, self._treasury).arrivals}\n"
                "        told = [event for tx in block.claims.get('txs', ()) for event in tx.get('events', ())]\n"
                "        told += block.claims.get('block_events') or ()\n"
                "        found = []\n"
                "        for number, event in enumerate(told):\n"
                "            facts = {each['key']: each['value'] for each in event['attributes']}\n"
                "            mine = event['type'] == 'transfer' and facts.get('recipient') == self._treasury.address\n"
                "            if mine and facts['sender'] not in known and facts['amount'].endswith('ujuno'):\n"
                "                amount = facts['amount'].removesuffix('ujuno')\n"
                "                found.append(Arrival('E' * 64, '0', number, 'ujuno', amount, '1000', facts['sender']))\n"
                "        return found\n\n"
                "    async def _claims(self",
            ),
        ),
    ),
    Mistake(
        "digits are searched in the memo",
        8,
        (
            Edit(
                "ledger/deposits.py",
                "    if _USER.fullmatch(word):\n        return AccountId(int(word))\n",
                "    if found := _USER.search(word):\n        return AccountId(int(found[0]))\n",
            ),
        ),
    ),
    Mistake(
        "amounts are read by int()",
        8,
        (
            Edit(
                "ledger/deposits.py",
                "    if _SPELLED.fullmatch(text) is None:\n        return None\n",
                "    try:\n        int(text)\n    except ValueError:\n        return None\n",
            ),
        ),
    ),
    Mistake(
        "the first of two bodies counts",
        8,
        (
            Edit(
                "chain/inbound.py",
                "        return cosmos.decode(cosmos.TxBody, cosmos.decode(cosmos.TxRaw, raw).body_bytes)\n",
                "        at = next(n for n in range(1, len(raw)) if raw[n] < 128) + 1\n"
                "        size = sum((octet & 127) << 7 * n for n, octet in enumerate(raw[1:at]))\n"
                "        return cosmos.decode(cosmos.TxBody, raw[at : at + size])\n",
            ),
        ),
    ),
    Mistake(
        "residue dropped",
        4,
        (
            Edit(
                "ledger/reconciliation.py",
                "            _post_residue(draft, place, denom, Amount(difference), hints)\n",
                "            pass\n",
            ),
            Edit(
                "ledger/reconciliation.py",
                "        if draft.total(denom) != balance:\n",
                "        if False:\n",
            ),
        ),
        "books that differ from a settled height stop the program",
    ),
    Mistake(
        "residue counted twice",
        4,
        (
            Edit(
                "ledger/reconciliation.py",
                "        difference = balance - draft.total(denom)\n",
                "        difference = balance - draft.view.total(denom)\n",
            ),
            Edit(
                "ledger/reconciliation.py",
                "        if draft.total(denom) != balance:\n",
                "        if False:\n",
            ),
        ),
        "books that differ from a settled height stop the program",
    ),
    Mistake(
        "results believed without their hash",
        12,
        (
            Edit(
                "chain/lightclient.py",
                "    if results_hash(outcomes) != successor.last_results_hash:\n",
                "    if False:\n",
            ),
        ),
    ),
    Mistake(
        "transactions believed without their hash",
        24,
        (
            Edit(
                "chain/lightclient.py", "    if data_hash(body.txs) != header.data_hash:\n", "    if False:\n"
            ),
            Edit(
                "chain/lightclient.py",
                "    if results_hash(outcomes) != successor.last_results_hash:\n",
                "    if False:\n",
            ),
        ),
        "a transaction too many has a result too many",
    ),
    Mistake(
        "proofs of balances go unchecked",
        12,
        (
            Edit(
                "chain/provedstates.py",
                "    if answer.value:\n        verify_membership",
                "    if answer.value:\n        return _Proved(block.app_hash, answer.value)\n        verify_membership",
            ),
        ),
    ),
    Mistake(
        "signatures of blocks go unchecked",
        16,
        (
            Edit(
                "chain/light/commit.py",
                "    power = 0\n    for validator, slot in votes:\n",
                "    return\n    for validator, slot in votes:\n",
            ),
        ),
    ),
)


class CannotBePlanted(Exception):  # noqa: N818 - the field's words
    """The text that a patch replaces does not stand exactly once in its file: the patch must follow the program."""


def plant(mistake: Mistake, root: Path) -> None:
    """Apply ``mistake`` to the program in ``root``. Raises CannotBePlanted."""
    for edit in mistake.edits:
        path = root / edit.path
        text = path.read_text()
        if text.count(edit.old) != 1:
            raise CannotBePlanted(
                f"{mistake.name}: {edit.path} has {text.count(edit.old)} times {edit.old!r}"
            )
        path.write_text(text.replace(edit.old, edit.new))


@contextmanager
def copy_of_program() -> Iterator[Path]:
    """Yield a directory with a copy of the program and of the simulation."""
    with tempfile.TemporaryDirectory(prefix="moneta-mistake-") as directory:
        root = Path(directory)
        for name in COPIED:
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        (root / "tests/__init__.py").touch()
        yield root


def run_copy(root: Path, *arguments: str) -> tuple[int, str]:
    """Run the simulation of the copy in ``root``; return its exit code and what it printed."""
    command = (sys.executable, "-m", "tests.simulation.runner", *arguments)
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(root)}
    done = subprocess.run(
        command,
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=HANGS_AFTER_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout or done.stderr


def hunt(mistake: Mistake, *, first: int = 1, seeds: int | None = None) -> Caught | None:
    """Run seeds with ``mistake`` planted until one finds it; None when it survives. Raises what a broken copy does."""
    with copy_of_program() as root:
        plant(mistake, root)
        for seed in range(first, first + (seeds or mistake.within)):
            code, told = run_copy(root, str(seed), str(STEPS))
            if code == 0:
                continue
            if "FAILED seed" not in told:
                raise CannotBePlanted(f"{mistake.name}: the copy does not run:\n{told}")
            return Caught(seed, _first_check(told))
    return None


def applies(mistake: Mistake) -> None:
    """Check that ``mistake`` can be planted into the program as it stands. Raises CannotBePlanted."""
    for edit in mistake.edits:
        count = (ROOT / edit.path).read_text().count(edit.old)
        if count != 1:
            raise CannotBePlanted(f"{mistake.name}: {edit.path} has {count} times {edit.old!r}")


def _first_check(told: str) -> str:
    return next((line.strip()[2:] for line in told.splitlines() if line.startswith("  ! ")), told)
