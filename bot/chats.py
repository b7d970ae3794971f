"""What follows when a group itself changes: it moved, or what one of its members may do."""

from typing import Final

from bot import giveaways, notices
from bot.context import Bank
from bot.intents import MemberChanged, Migrated
from ledger.accounts import AccountId
from ledger.jails import jail_of
from ledger.rights import rights_rows
from ledger.units import Row, View

KNOW_CHAT: Final = "INSERT OR IGNORE INTO chats (id, kind, seen_at) VALUES (:old, 'group', :at)"
MOVE_SETTINGS: Final = """
INSERT INTO chats (id, kind, title, settings, seen_at)
SELECT :new, 'supergroup', title, settings, :at FROM chats WHERE id = :old
ON CONFLICT (id) DO UPDATE SET settings = json_patch(excluded.settings, settings)
"""
"""What was set in the supergroup before the news of the move was read is the newer word."""
FORGET_CHAT: Final = "UPDATE chats SET migrated_to = :new, reachable = 0 WHERE id = :old"


def migrated_rows(view: View, bank: Bank, moved: Migrated) -> list[Row]:
    """Return the rows that take a group's settings, its giveaways, and whoever is in jail there, to what it became."""
    facts = {"old": moved.old, "new": moved.new}
    at = {**facts, "at": view.now}
    group = [Row(KNOW_CHAT, at), Row(MOVE_SETTINGS, at), Row(FORGET_CHAT, facts)]
    giving = giveaways.moved(view, bank, moved.old, moved.new)
    return [*group, *giving, *notices.moved(view, moved.old, moved.new)]


def member_changed_rows(view: View, changed: MemberChanged, me: int) -> list[Row]:
    """Return the rows that have Telegram agree with the books again, about whom that concerns.

    It does about whoever is in jail, and about whoever the bot itself (``me``) had silenced: an order that was thought
    lost may be carried out late. What admins restrict for reasons of their own is left alone.
    """
    person = AccountId(changed.person)
    if changed.by != me and jail_of(view, changed.chat, person) is None:
        return []
    return rights_rows(changed.chat, person, view.now)
