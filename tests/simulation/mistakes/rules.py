"""Rules of a group: who is judged, how often, by what came before, and what becomes of the message."""

from typing import Final

from tests.simulation.planting import Edit, Mistake

MISTAKES: Final = (
    Mistake(
        "a message that was edited twice is punished twice",
        4,
        (
            Edit(
                "bot/rules/verdict.py",
                "    return bool(books.select(_KNOWN, (rule.number, offence.chat, offence.message)))\n",
                "    return False\n",
            ),
            Edit("migrations/0012_rules.sql", "    UNIQUE (rule, chat, message),\n", ""),
        ),
        "the database keeps this rule, too",
    ),
    Mistake(
        "who leads the group is punished",
        4,
        (
            Edit(
                "bot/rules/court.py",
                "            return (await self._bank.groups.standing(said.chat.id, said.sender.id)).leads\n",
                "            return (await self._bank.groups.standing(said.chat.id, said.sender.id)).deletes is None\n",
            ),
        ),
    ),
    Mistake(
        "violations of long ago count",
        8,
        (
            Edit(
                "bot/rules/verdict.py",
                "sum(at - 1000 * step.seconds < each <= at for each in before)",
                "len(before)",
            ),
            Edit(
                "bot/rules/verdict.py",
                'facts = {"rule": rule.number, "person": offence.person, "since": offence.said_at - span}\n',
                'facts = {"rule": rule.number, "person": offence.person, "since": offence.said_at - 99 * span}\n',
            ),
        ),
    ),
    Mistake(
        "a deletion that nobody answered is not tried again",
        8,
        (
            Edit(
                "bot/rules/strikes.py",
                "            await self.telegram.delete(chat, list(wanted))\n        except",
                "            await self.telegram.delete(chat, list(wanted))\n        except Offline:\n"
                '            log.info("message.unanswered", chat=chat)\n        except',
            ),
            Edit("bot/rules/strikes.py", "import Moved, Rejected,", "import Moved, Offline, Rejected,"),
        ),
    ),
    Mistake(
        "a judged message is not done",
        4,
        (
            Edit(
                "bot/fetch.py",
                "for arrival in arrivals for each in (arrival, *self._judged(arrival))]",
                "for arrival in arrivals for each in (self._judged(arrival) or [arrival])]",
            ),
        ),
        "a command whose message breaks a rule is carried out all the same",
    ),
    Mistake(
        "edits are not judged",
        4,
        (
            Edit(
                "bot/rules/judge.py",
                "    if said.chat.private or said.ephemeral",
                "    if said.edited or said.chat.private or said.ephemeral",
            ),
        ),
    ),
)
