"""Never faster than Telegram allows, and no chat waits for another."""

from hypothesis import given
from hypothesis import strategies as st

from bot.pacing import Pacer
from ledger.ports import Millis

START = 1_700_000_000_000


def send_all(pacer: Pacer, chats: list[int]) -> list[tuple[int, int]]:
    """Send to ``chats`` in order, each as soon as it may; return when each went."""
    now = START
    sent = []
    for chat in chats:
        now = max(now, pacer.ready_at(chat, now))
        pacer.take(chat, Millis(now))
        sent.append((now, chat))
    return sent


@given(st.lists(st.sampled_from([11, 22, -33]), max_size=80))
def test_no_second_holds_more_than_thirty_messages(chats: list[int]) -> None:
    sent = send_all(Pacer(), chats)
    for at, _ in sent:
        assert len([1 for other, _ in sent if at <= other < at + 1000]) <= 30


@given(st.lists(st.sampled_from([-33, -44]), max_size=80))
def test_no_minute_holds_more_than_a_groups_share(chats: list[int]) -> None:
    sent = send_all(Pacer(), chats)
    for at, chat in sent:
        assert len([1 for other, to in sent if to == chat and at <= other < at + 60_000]) <= 20


def test_a_chat_that_waits_lets_others_pass() -> None:
    pacer = Pacer()
    pacer.take(11, Millis(START))
    pacer.take(11, Millis(START))
    assert pacer.ready_at(11, START) > START
    assert pacer.ready_at(22, START) <= START


def test_a_paused_chat_waits_as_long_as_it_was_told() -> None:
    pacer = Pacer()
    pacer.pause(11, START, 5_000)
    assert pacer.ready_at(11, START) == START + 5_000


def test_a_chat_is_forgotten_when_nothing_holds_it_back() -> None:
    pacer = Pacer()
    for chat in range(1, 10_002):
        pacer.take(chat, Millis(START + chat * 1000))
    assert len(pacer._windows) < 10_000
