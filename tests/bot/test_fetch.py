"""Nothing that was sent is lost and nothing is done twice, whatever comes in and whenever the program stops."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bot.fetch import POLL_SECONDS
from bot.lanes import PER_PERSON
from bot.transport import Telegram
from bot.transport.client import POLL_MARGIN_SECONDS
from chain.tenure import TTL_MS, Tenure
from ledger.store import Store
from sandbox.telegram import Fault, User
from tests.bot.stage import Stage, stage


async def test_a_poisonous_update_is_kept_and_told_and_the_rest_flows(
    bot: Stage, ana: User, owner: User
) -> None:
    watch = bot.telegram.private(owner)
    bot.telegram.say(owner, watch, "/hello")
    await bot.heard(owner, watch, "hello")
    chat = bot.telegram.private(ana)
    bot.telegram.poison(bot.account)
    bot.telegram.poison(bot.account, {"message": {"message_id": 10**30}})
    bot.telegram.say(ana, chat, "/hello")
    await bot.heard(ana, chat, "hello")
    await bot.heard(owner, watch, "alert.raised", times=2)
    assert bot.rows("SELECT count(*) FROM inbox WHERE state = 'poison'") == [(2,)]


async def test_a_poisonous_update_is_told_once_however_often_it_comes(bot: Stage, ana: User) -> None:
    bot.telegram.poison(bot.account)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/hello")
    await bot.heard(ana, chat, "hello")
    bot.telegram.queues[bot.account.user.id].redeliver(2)
    bot.telegram.say(ana, chat, "/hello")
    await bot.heard(ana, chat, "hello", times=2)
    assert bot.rows("SELECT count(*) FROM outbox WHERE event = 'alert.raised'") == [(1,)]


async def test_the_offset_is_confirmed_only_after_the_rows_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirmed_with: list[tuple[int, int]] = []
    async with stage(tmp_path / "bank.sqlite3") as bot:
        poll = Telegram.updates

        async def watched(self: Telegram, offset: int | None, seconds: int) -> object:
            kept = bot.rows("SELECT ifnull(max(update_id), 0) FROM inbox")[0][0]
            if offset is not None:
                confirmed_with.append((offset, kept))
            return await poll(self, offset, seconds)

        monkeypatch.setattr(Telegram, "updates", watched)
        await bot.start()
        ana = bot.telegram.person("Ana")
        chat = bot.telegram.private(ana)
        for _ in range(3):
            bot.telegram.say(ana, chat, "/hello")
        await bot.heard(ana, chat, "hello", times=3)
    assert confirmed_with
    assert all(kept >= offset - 1 for offset, kept in confirmed_with)


async def test_killed_between_fetch_and_commit_the_update_comes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path / "bank.sqlite3") as bot:
        await bot.start(only="fetch")
        ana = bot.telegram.person("Ana")
        chat = bot.telegram.private(ana)
        fetched = asyncio.Event()
        poll = Telegram.updates

        async def killed(self: Telegram, offset: int | None, seconds: int) -> object:
            batch = await poll(self, offset, seconds)
            if batch:
                fetched.set()
                await asyncio.Event().wait()
            return batch

        with monkeypatch.context() as patch:
            patch.setattr(Telegram, "updates", killed)
            bot.telegram.say(ana, chat, "/hello")
            await asyncio.wait_for(fetched.wait(), 10)
            assert bot.rows("SELECT 1 FROM inbox") == []
            await bot.stop()
        await bot.start()
        await bot.heard(ana, chat, "hello")


async def test_killed_after_the_commit_the_row_is_answered_and_its_second_delivery_is_not(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path / "bank.sqlite3") as bot:
        await bot.start(only="fetch")
        ana, ben = bot.telegram.person("Ana"), bot.telegram.person("Ben")
        await bot.fund(ana, 100)
        await bot.fund(ben, 1)
        chat = bot.telegram.private(ana)
        bot.telegram.say(ana, chat, f"/give {ben.id} 10")
        await bot.until(lambda: bot.rows("SELECT 1 FROM inbox WHERE state = 'new'"))
        await bot.stop()
        bot.telegram.queues[bot.account.user.id].redeliver(1)
        await bot.start()
        await bot.heard(ana, chat, "paid")
        await bot.settled()
        assert (bot.balance(ben), len(bot.said(ana, chat, "paid"))) == (11, 1)


async def test_a_cold_start_polls_without_an_offset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offsets: list[int | None] = []
    poll = Telegram.updates

    async def watched(self: Telegram, offset: int | None, seconds: int) -> object:
        offsets.append(offset)
        return await poll(self, offset, seconds)

    monkeypatch.setattr(Telegram, "updates", watched)
    async with stage(tmp_path / "bank.sqlite3") as bot:
        ana = bot.telegram.person("Ana")
        chat = bot.telegram.private(ana)
        for times in (1, 2):
            await bot.start()
            bot.telegram.say(ana, chat, "/hello")
            await bot.heard(ana, chat, "hello", times=times)
            await bot.stop()
            offsets.append(-1)
    assert [offsets[0], offsets[offsets.index(-1) + 1]] == [None, None]


async def test_a_second_poller_stands_by(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/hello")
    await bot.heard(ana, chat, "hello")
    fetch = bot.front.fetch
    rival = type(fetch)(
        fetch._telegram,
        bot.service,
        fetch._lanes,
        fetch._me,
        read=fetch._read,
        tenure=Tenure(bot.service.leases, "poller", "rival", clock=bot.clock),
        toast=fetch._toast,
        judge=fetch._judge,
    )
    assert await rival.step() > 0
    bot.telegram.say(ana, chat, "/hello")
    await bot.heard(ana, chat, "hello", times=2)


def test_a_role_outlasts_a_poll_that_hears_nothing() -> None:
    """It is renewed at half of its time, between two polls: a second instance must not take it from a living one."""
    assert (POLL_SECONDS + POLL_MARGIN_SECONDS) * 1000 < TTL_MS // 2


async def test_a_poll_that_another_program_ended_goes_on(bot: Stage, ana: User) -> None:
    bot.telegram.faults.add(Fault("refuse", "getUpdates", times=2, code=409, description="Conflict"))
    bot.telegram.faults.add(Fault("garbage", "getUpdates", code=502))
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/hello")
    await bot.heard(ana, chat, "hello")


async def test_who_hammers_is_told_once_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with stage(tmp_path / "bank.sqlite3") as bot:
        ana, ben = bot.telegram.person("Ana"), bot.telegram.person("Ben")
        hammer, quiet = bot.telegram.private(ana), bot.telegram.private(ben)
        for _ in range(90):
            bot.telegram.say(ana, hammer, "/hello")
        bot.telegram.say(ben, quiet, "/hello")
        await bot.start()
        await bot.heard(ben, quiet, "hello")
        sent_before = len(bot.said(ana, hammer))
        await bot.heard(ana, hammer, "refused.too_many")
        await bot.until(lambda: not bot.rows("SELECT 1 FROM inbox WHERE state = 'new'"))
        answered = bot.rows("SELECT count(*) FROM inbox WHERE state = 'done' AND sender = ?", ana.id)
        assert sent_before < PER_PERSON
        assert answered == [(PER_PERSON,)]
        assert len(bot.said(ana, hammer, "refused.too_many")) == 1


async def test_everyone_who_writes_has_an_account_and_a_name(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/hello")
    await bot.heard(ana, chat, "hello")
    assert bot.rows("SELECT id, role, name FROM users WHERE id > 0") == [(ana.id, "member", "Ana")]
    assert bot.rows("SELECT owner FROM names WHERE name = 'ana'") == [(ana.id,)]


async def test_talk_of_a_group_is_not_kept(bot: Stage, ana: User, ben: User) -> None:
    open_bot = bot.telegram.bot("Open", "open_bot", privacy=False)
    plaza = bot.telegram.group("Plaza", ana, [ben, bot.account, open_bot])
    bot.telegram.promote(bot.account, plaza)
    bot.telegram.say(ana, plaza, "did you hear what Ben did?")
    bot.telegram.say(ben, plaza, "/hello")
    await bot.heard(ben, plaza, "hello")
    assert bot.rows("SELECT count(*) FROM inbox WHERE raw LIKE '%did you hear%'") == [(0,)]


async def test_rows_whose_commit_was_in_doubt_are_answered_all_the_same(
    bot: Stage, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk failed after the batch stood: the batch that comes again is known, but nobody had taken it up."""
    chat = bot.telegram.private(ana)
    commit = Store.commit
    in_doubt: list[str] = []

    def fails_once(store: Store) -> None:
        commit(store)
        waiting = store.select("SELECT key FROM inbox WHERE state = 'new'", ())
        if waiting and not in_doubt:
            in_doubt.append(waiting[0]["key"])
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error

    monkeypatch.setattr(Store, "commit", fails_once)
    bot.telegram.say(ana, chat, "/hello")
    await bot.heard(ana, chat, "hello")
    assert in_doubt
