"""What a message or a press sets off: keys, the inbox, questions, and whose command it is."""

from typing import Final

from tests.simulation.planting import Edit, Mistake

NOT_KEYED: Final = (
    Edit(
        "bot/slips.py",
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
        "bot/slips.py",
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
        32,
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
        "rows kept by a commit in doubt are not answered",
        12,
        (
            Edit(
                "bot/fetch.py",
                "            self._resuming = True\n            raise\n",
                "            raise\n",
            ),
        ),
        "as it was until a seed found it",
    ),
    Mistake(
        "a lane forgets what came while the disk failed",
        8,
        (
            Edit(
                "bot/lanes.py",
                '                log.warning("command.waits", inbox=item.id, error=str(error))\n',
                '                log.warning("command.waits", inbox=item.id, error=str(error))\n                return\n',
            ),
        ),
        "as it was until a seed found it",
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
        "what a full disk undid is believed done",
        12,
        (
            Edit(
                "ledger/store.py",
                "                self.connection.executemany(sql, [row.parameters for row in alike])\n",
                "                for row in alike:\n"
                "                    with suppress(sqlite3.OperationalError):\n"
                "                        self.connection.execute(sql, row.parameters)\n",
            ),
            Edit(
                "ledger/store.py",
                '        self.connection.execute("COMMIT")\n',
                '        if self.in_transaction:\n            self.connection.execute("COMMIT")\n',
            ),
            Edit(
                "ledger/store.py",
                "from enum import Enum\n",
                "from contextlib import suppress\nfrom enum import Enum\n",
            ),
        ),
        "SQLITE_FULL ends the transaction: what is written next stands alone, and at once",
    ),
    Mistake(
        "an edited command executes",
        6,
        (
            Edit(
                "bot/calls.py",
                "            self._edited(typed)\n            return None\n",
                "            pass\n",
            ),
        ),
    ),
    Mistake(
        "a forwarded command executes",
        6,
        (Edit("bot/calls.py", " or said.forwarded or said.via_bot:", ":"),),
    ),
    Mistake(
        "an old command executes unasked",
        16,
        (
            Edit(
                "bot/calls.py",
                "old = old_asks and command.waits_when_old and self._clock.now() - said.at > OLD_MS",
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
        "a note is lost",
        4,
        (
            Edit(
                "bot/commands/send.py",
                "            note=order.note,\n",
                "",
            ),
        ),
    ),
)
