"""Giveaways: escrows, claims, and whose word the treasury takes."""

from typing import Final

from tests.simulation.planting import Edit, Mistake

_NO_EMPTY_END: Final = Edit(
    "migrations/0010_giveaways.sql",
    "WHEN EXISTS (SELECT 1 FROM user_balances WHERE user_id = -1000 - OLD.id AND balance <> 0)\n",
    "WHEN FALSE\n",
)

MISTAKES: Final = (
    Mistake(
        "a claim is counted before the commit",
        4,
        (
            Edit(
                "ledger/giveaways.py",
                "        unit = Unit(\n            lambda view: decide_claim(view, key, press, rules),\n",
                "        before = find(self._reader, press.giveaway).claimed\n"
                "        unit = Unit(\n            lambda view: decide_claim(view, key, press, rules, before),\n",
            ),
            Edit(
                "ledger/claims.py",
                "def decide_claim(view: View, key: str, press: Press, rules: Rules) -> Decision[Claim]:\n",
                "def decide_claim(view: View, key: str, press: Press, rules: Rules, before: int) -> Decision[Claim]:\n",
            ),
            Edit("ledger/claims.py", "    number = found.claimed + 1\n", "    number = before + 1\n"),
        ),
        "two people get one slot; the database refuses, and the program stops",
    ),
    Mistake(
        "the remainder is dropped",
        4,
        (
            Edit(
                "ledger/claims.py",
                "    rest = draft.balance(giveaway.escrow, giveaway.denom)\n",
                "    rest = draft.balance(giveaway.escrow, giveaway.denom)\n"
                "    rest = Amount(rest - rest % giveaway.slots)\n",
            ),
            _NO_EMPTY_END,
        ),
        "without its trigger the database lets an escrow end with coins in it",
    ),
    Mistake(
        "a giveaway can be cancelled twice",
        8,
        (
            Edit(
                "ledger/claims.py",
                "    if not found.is_open(view.now):\n"
                '        raise Refused("giveaway_over", giveaway=giveaway)\n'
                "    draft = Draft(view)\n"
                "    over = _finish(draft, found, GiveawayState.CANCELLED, ())\n",
                "    draft = Draft(view)\n    over = _finish(draft, found, GiveawayState.CANCELLED, ())\n",
            ),
        ),
        "the second changes no row, and the program stops",
    ),
    Mistake(
        "the key of a claim does not name who pressed",
        4,
        (
            Edit(
                "bot/buttons.py",
                'return f"b:{self.id}" if self.owner is not None else f"b:{self.id}:{presser}"',
                'return f"b:{self.id}"',
            ),
        ),
    ),
    Mistake(
        "the rank for the treasury is looked at before the commit alone",
        12,
        (
            Edit(
                "bot/commands/giveaway.py",
                "    return Effect(perform, lambda begun: card_of(begun, creator), needs)\n",
                "    if context.role < needs:\n"
                '        raise Refused("role_too_low", needed=needs.word)\n'
                "    return Effect(perform, lambda begun: card_of(begun, creator))\n",
            ),
            Edit(
                "ledger/giveaways.py",
                "    role = require_role(view, by, Role.ADMIN)\n",
                "    role = Role.ADMIN\n",
            ),
        ),
        "the one path and the book both look again when they commit",
    ),
    Mistake(
        "the end is not looked at when a claim commits",
        8,
        (
            Edit(
                "ledger/offers.py",
                "        return self.state is GiveawayState.ACTIVE and now < self.expires_at\n",
                "        return self.state is GiveawayState.ACTIVE\n",
            ),
            Edit(
                "migrations/0010_giveaways.sql",
                "AND NEW.number <= slots AND NEW.at < expires_at\n",
                "AND NEW.number <= slots\n",
            ),
            Edit(
                "bot/ticker.py",
                "        return min(max(wait, 0.05), LONGEST_PAUSE_SECONDS)\n",
                "        return min(max(wait, 0.05), LONGEST_PAUSE_SECONDS) + 5.0\n",
            ),
        ),
        "book and database both look; the ticker comes late, as after a crash, which alone does no harm",
    ),
    Mistake(
        "another seed is used than was promised",
        4,
        (
            Edit(
                "ledger/giveaways.py",
                '{"funding": view.next_transaction_id, "seed": secret, "at": view.now}',
                '{"funding": view.next_transaction_id, "seed": secret and secret[::-1], "at": view.now}',
            ),
        ),
        "as if it were drawn after the card had been shown",
    ),
    Mistake(
        "the total of equal shares is cut by slots instead of people",
        16,
        (
            Edit(
                "ledger/claims.py",
                "        share = equal_shares(giveaway.total, len(joined)).share\n",
                "        share = equal_shares(giveaway.total, giveaway.slots).share\n",
            ),
        ),
    ),
    Mistake(
        "what nobody claimed goes to the creator, whoever gave it",
        8,
        (
            Edit(
                "ledger/claims.py",
                "        posting = Posting(giveaway.escrow, giveaway.funder, rest, giveaway.denom)\n",
                "        posting = Posting(giveaway.escrow, giveaway.creator, rest, giveaway.denom)\n",
            ),
        ),
    ),
    Mistake(
        "who is in jail claims",
        8,
        (
            Edit(
                "ledger/claims.py",
                "    if not rules.jailed and is_jailed(view, giveaway.chat, claimant, view.now):\n",
                "    if rules.jailed and is_jailed(view, giveaway.chat, claimant, view.now):\n",
            ),
        ),
    ),
    Mistake(
        "who gives claims",
        4,
        (
            Edit(
                "ledger/claims.py",
                "    if claimant == giveaway.creator and not rules.creator:\n",
                "    if claimant == giveaway.funder and rules.creator:\n",
            ),
        ),
    ),
    Mistake(
        "what came back is told to nobody",
        4,
        (
            Edit(
                "ledger/claims.py",
                "    if over.returned:\n",
                "    if over.returned > over.giveaway.total:\n",
            ),
        ),
    ),
    Mistake(
        "the card tells shares by slots instead of people",
        12,
        (
            Edit(
                "ledger/giveaways.py",
                "equal_shares(giveaway.total, max(giveaway.claimed, 1)).share",
                "equal_shares(giveaway.total, giveaway.slots).share",
            ),
        ),
        "they were paid rightly",
    ),
    Mistake(
        "the card says that all of it went back",
        4,
        (
            Edit(
                "bot/giveaways.py",
                '"returned": book.returned(shown.id),',
                '"returned": shown.total,',
            ),
        ),
    ),
    Mistake(
        "who claims reads the whole of the giveaway",
        4,
        (
            Edit(
                "bot/commands/giveaway.py",
                '{"amount": claimed.amount, "denom"',
                '{"amount": claimed.giveaway.total, "denom"',
            ),
        ),
    ),
)
