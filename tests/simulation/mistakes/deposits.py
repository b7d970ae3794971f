"""Coins in: which arrivals count, how much they are, and whose."""

from typing import Final

from tests.simulation.planting import Edit, Mistake

MISTAKES: Final = (
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
        "a deposit in parts tells the first one alone",
        4,
        (
            Edit(
                "ledger/deposits.py",
                '"amount": sum(each.amount for each in parts),',
                '"amount": parts[0].amount,',
            ),
        ),
    ),
    Mistake(
        "news of a deposit go to the operators",
        4,
        (
            Edit(
                "ledger/deposits.py",
                "    recipient = account if account > 0 else OPERATORS\n",
                "    recipient = account if account > 10**9 else OPERATORS\n",
            ),
        ),
    ),
    Mistake(
        "what comes for a shared account is told to one member",
        16,
        (
            Edit(
                "ledger/deposits.py",
                "    members = joined_of(draft.view, account)\n",
                "    members = joined_of(draft.view, account)[:1]\n",
            ),
        ),
    ),
)
