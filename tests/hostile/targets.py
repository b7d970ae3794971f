"""What strangers' bytes reach, one function each: it returns for a right value or a typed refusal, and raises for a bug.

`scripts/fuzz` feeds them what coverage suggests, test_corpus.py what stands in corpus/, test_properties.py what
Hypothesis thinks of. A target takes any bytes at all.
"""

import asyncio
import atexit
import base64
import functools
import itertools
import json
import shutil
import tempfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from bot import buttons, fetch, inbox
from bot.amounts import read_amount, take_amount
from bot.buttons import LONGEST_TOKEN
from bot.html import clean_line
from bot.intents import Chat as SaidIn
from bot.intents import ChatKind, Entity, Person, ReplyTarget, Said, Unreadable, called, width
from bot.names import NameBook, learn
from bot.offers import read_offer
from bot.recipients import NOTE_LIMIT, Word, find_recipient, read_payment, split_words
from bot.results import Choice
from bot.sharing import read_terms, take_account
from bot.transport import read_update
from chain import address, cosmos, inbound, wallet
from chain.adr36 import proves, read_proof
from chain.client import BroadcastAnswer, NodeClient, StateKey
from chain.coins import parse_coins, stored_amount
from chain.crosscheck import claimed_changes
from chain.errors import NodeUnavailable
from chain.light.commit import Commit, Validator, ValidatorSet
from chain.light.errors import Malformed, Unproven
from chain.light.header import Header
from chain.light.proof import ProofOp, ops_from_json, verify_membership, verify_non_membership
from chain.light.results import encoded, outcome_from_json
from chain.light.trust import SignedHeader, accept
from chain.longresults import Thinner
from chain.verified import TxOutcome, VerifiedBlock
from ledger.accounts import LAST_SHARED, AccountId
from ledger.deposits import Reason, addressee, spelled_amount
from ledger.errors import Refused
from ledger.money import MAX_AMOUNT, Denom
from ledger.offers import LONGEST_SECONDS, MOST_SLOTS, SHORTEST_SECONDS
from ledger.shared import (
    NO_LIMITS,
    MemberRole,
    Membership,
    MembershipState,
    Share,
    SharedAccount,
    checked_name,
    folded_name,
)
from ledger.users import registration
from tests.chain.fakechain import FakeChain, header_json, validator_json, validator_set
from tests.chain.fakechain import commit_json as written_commit
from tests.chain.test_proof import ABSENT, PRESENT, ROOT, STORE, ops
from tests.hostile.books import ANA, ASSETS, BEN, ME, NOW, TREASURY, Counter, Schema
from tests.hostile.rules import order, talk

Target = Callable[[bytes], None]
T = TypeVar("T")

CHAIN_ID: Final = "fake-1"
PREFIX: Final = "juno"
MEMO_LIMIT: Final = 256
SHARES: Final = tuple(
    Share(
        SharedAccount(AccountId(-number), name, is_open=True),
        Membership(
            number,
            AccountId(-number),
            AccountId(ANA),
            MemberRole.ADMIN,
            NO_LIMITS,
            MembershipState.JOINED,
            AccountId(ANA),
        ),
    )
    for number, name in ((100, "Picnic"), (101, "Picnic on Sunday"), (102, "Caf\u00e9"))
)
"""What Ana has a part in."""


def text_of(raw: bytes) -> str:
    """Return ``raw`` as text; bytes that are no UTF-8 become what JSON can spell and UTF-8 cannot."""
    return raw.decode("utf-8", "surrogateescape")


def json_of(raw: bytes) -> Any:
    """Return ``raw`` read as JSON, None for what is none: that is the reader's own refusal."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


@functools.cache
def schema() -> Schema:
    """The database of the targets that ask it something: Ana and Ben are known, one question is open."""
    made = Schema()
    people = (Person(ANA, "Ana", "ana"), Person(BEN, "Ben", "ben"))
    made.keep(registration(AccountId(each.id), each.name, NOW) for each in people)
    made.keep(learn(people, NOW))
    made.keep(buttons.open_rows((Choice("yes", {"n": 1}), Choice("no", anyone=True)), ANA, "q", NOW))
    return made


def update(raw: bytes) -> None:
    """One update of Telegram, as far as the rows that keep it."""
    document = json_of(raw)
    arrival = fetch.read_arrival(document, read_update, ME.id)
    if arrival is None:
        return
    asked = arrival.intent is None or inbox.asks(arrival.intent, ME.username)
    _, rows = inbox.store(schema(), [arrival] if asked else [])
    schema().accept([*rows, *fetch._lessons(arrival, NOW), *fetch._too_many(arrival, 1, NOW)])
    if arrival.intent is not None:
        assert read_update(json.loads(arrival.raw)) == arrival.intent, "another process reads it otherwise"


def command(raw: bytes) -> None:
    """A private message of Ana's, answered by the program on real books."""
    text = text_of(raw)
    head = width(text.split(" ", 1)[0])
    document = message(text, [{"type": "bot_command", "offset": 0, "length": head}])
    _answer(document)


def conversation(raw: bytes) -> None:
    """One update of Telegram of any form, answered by the program on real books."""
    document = json_of(raw)
    if isinstance(document, dict):
        _answer({**document, "update_id": next(_numbers)})


def _answer(document: dict[str, Any]) -> None:
    try:
        intent = read_update(document)
    except Unreadable:
        return
    if inbox.asks(intent, ME.username):
        counter().answer(document, intent)


_numbers = itertools.count(1)


def message(text: str, entities: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the update of a private message of Ana's; each call makes another one."""
    number = next(_numbers)
    ana = {"id": ANA, "is_bot": False, "first_name": "Ana", "username": "ana"}
    said = {"message_id": number, "date": NOW // 1000, "chat": {"id": ANA, "type": "private"}, "from": ana}
    return {"update_id": number, "message": {**said, "text": text, "entities": entities}}


@functools.cache
def counter() -> Counter:
    """The bank that answers, with a database of its own for this process."""
    directory = Path(tempfile.mkdtemp(prefix="moneta-hostile-"))
    made = Counter(directory / "books.sqlite3")

    def end() -> None:
        made.close()
        shutil.rmtree(directory, ignore_errors=True)

    atexit.register(end)
    return made


def amount(raw: bytes) -> None:
    """What a member typed as an amount."""
    text = text_of(raw)
    try:
        wanted = read_amount(text, ASSETS)
    except Refused as refusal:
        _speakable(refusal)
    else:
        assert text.strip().isascii(), "digits of another script were taken"
        assert wanted.amount is None or 0 < wanted.amount <= MAX_AMOUNT
    try:
        take_amount(text.split(), ASSETS, all_allowed=False)
    except Refused as refusal:
        _speakable(refusal)


def giveaway(raw: bytes) -> None:
    """What stands behind /giveaway."""
    try:
        typed = read_offer(text_of(raw), ASSETS)
    except Refused as refusal:
        _speakable(refusal)
        return
    assert 0 < typed.total <= MAX_AMOUNT
    assert typed.slots is None or 1 <= typed.slots <= MOST_SLOTS
    assert SHORTEST_SECONDS <= typed.lasts_seconds <= LONGEST_SECONDS
    assert typed.treasury == bool(typed.reason)


def recipient(raw: bytes) -> None:
    """Whom a payment is for: words, false entities, and an answered message."""
    marks, _, rest = raw.partition(b"\n")
    text = text_of(rest)
    entities = [
        Entity(("mention", "text_mention", "bot_command")[kind % 3], offset - 8, length, _someone(length))
        for kind, offset, length in zip(*[iter(marks)] * 3, strict=False)
    ]
    said = Said(SaidIn(ANA, ChatKind.PRIVATE), 1, None, text, NOW, tuple(entities))
    call = called(said)
    words = split_words(call.args if call else text, call.entities if call else entities)
    reply = ReplyTarget(5, _someone(len(raw)), len(raw) % 2 == 1) if len(raw) % 3 else None
    try:
        payment = read_payment(words, reply, ASSETS)
        assert width(payment.note) <= NOTE_LIMIT
        found = find_recipient(payment.who, reply, Person(ANA, "Ana"), NameBook(schema()), NOW)
    except Refused as refusal:
        _speakable(refusal)
    else:
        assert found.id > 0, "an account of the system was to be paid"
        assert found.id != ANA


def shared(raw: bytes) -> None:
    """What /shared is given: which account, which role, which limits; and how an account may be called."""
    words = split_words(text_of(raw))
    for read in (_shared_words, _shared_name):
        try:
            read(words)
        except Refused as refusal:
            _speakable(refusal)


def _shared_words(words: list[Word]) -> None:
    share, rest = take_account(words, SHARES) if words else (SHARES[0], words)
    assert share in SHARES
    role, limits = read_terms(rest, ASSETS)
    assert role in MemberRole
    assert (limits.denom is None) == (limits.per_transaction is None and limits.per_day is None)
    assert all(0 < each <= MAX_AMOUNT for each in limits[1:] if each is not None)


def _shared_name(words: list[Word]) -> None:
    """A name that may be given leads back to its account, as it was typed and as it is compared."""
    name = checked_name(clean_line(" ".join(word.text for word in words)))
    share = SHARES[0]._replace(account=SHARES[0].account._replace(name=name))
    for spelled in (name, folded_name(name)):
        assert take_account(split_words(spelled), [share]) == (share, [])


def _someone(number: int) -> Person | None:
    """Return a person, a bot, a channel's stand-in or nobody."""
    return (None, Person(BEN, "Ben"), Person(9, "x", is_bot=True), Person(777000, "T"), Person(-5, "y"))[
        number % 5
    ]


def memo(raw: bytes) -> None:
    """The memo of a deposit, and that of a withdrawal."""
    text = text_of(raw)
    named = addressee(text)
    assert isinstance(named, Reason) or named >= LAST_SHARED, "a memo reached an escrow"
    if not isinstance(named, Reason):
        assert text.isascii(), "digits of another script were taken"
    try:
        checked = address.checked_memo(text, MEMO_LIMIT)
    except Refused as refusal:
        _speakable(refusal)
    else:
        assert len(checked.encode()) <= MEMO_LIMIT


def destination(raw: bytes) -> None:
    """The address of a withdrawal."""
    text = text_of(raw)
    try:
        found = address.destination(text, PREFIX, address.decode(TREASURY, PREFIX), ("gov", "feepay"))
    except Refused as refusal:
        _speakable(refusal)
    else:
        assert found.text == text.lower(), "another spelling than the one that was typed"
        assert address.decode(found.text, PREFIX) == found.raw


def coins(raw: bytes) -> None:
    """Amounts as the chain spells them."""
    text = text_of(raw)
    spelled = spelled_amount(text)
    assert spelled is None or str(spelled) == text
    for read in (lambda: stored_amount(raw), lambda: _reread(text)):
        _either(read, ValueError)


def _reread(text: str) -> None:
    written = ",".join(f"{coin.amount}{coin.denom}" for coin in parse_coins(text))
    assert written == text, "coins are read otherwise than they are written"


def tx(raw: bytes) -> None:
    """A transaction of a block: what it carried to us, who it is, and what it says of accounts."""
    treasury = inbound.WatchedWallet(address.decode(TREASURY, PREFIX), PREFIX)
    outcomes = (TxOutcome(0, b"", 0, 0), TxOutcome(5, b"", 0, 0))
    block = VerifiedBlock(chain().trusted(5), (raw, raw), outcomes, b"")
    found = inbound.read_block(block, treasury)
    assert len(found.inclusions) == 2, "a transaction was left out"
    assert all(arrival.tx_hash == sha256(raw).hexdigest().upper() for arrival in found.arrivals)
    canonical = _either(lambda: wallet.canonical_hash(raw), cosmos.Undecodable)
    if canonical is not None:
        again = cosmos.encode(cosmos.decode(cosmos.TxRaw, raw))
        assert wallet.canonical_hash(again) == canonical, "the same transaction has two identities"


def protobuf(raw: bytes) -> None:
    """Each message that the adapter decodes, and the account inside an ``Any``."""
    for kind in (cosmos.MsgMultiSend, cosmos.MsgExec, cosmos.CommitmentProof, cosmos.QueryAccountResponse):
        _either(functools.partial(cosmos.decode, kind, raw), cosmos.Undecodable)
    packed = _either(lambda: cosmos.decode(cosmos.Packed, raw), cosmos.Undecodable)
    if packed is not None:
        _either(lambda: cosmos.base_account(packed), cosmos.Undecodable)
    assert cosmos.signature_holds(raw[:33], b"message", raw[33:]) is False


@functools.cache
def chain() -> FakeChain:
    """Five blocks that four validators signed."""
    made = FakeChain(CHAIN_ID)
    made.grow_by(5)
    return made


def honest_header() -> dict[str, Any]:
    """Return what an honest node answers for height 4: header, commit and validators."""
    block = chain().block(4)
    validators = validator_set(block.validators).validators
    signed = {"header": header_json(block.header), "commit": written_commit(block.commit)}
    return {"signed_header": signed, "validators": [validator_json(each) for each in validators]}


def header(raw: bytes) -> None:
    """A header with its commit and validators: believed only when it is the one that was signed."""
    document = json_of(raw)
    found = _either(lambda: _accepted(document), Unproven)
    assert found in (None, chain().trusted(4)), "a header was believed that nobody signed"
    for read in (Header.from_json, Commit.from_json, Validator.from_json):
        _either(functools.partial(read, document), Malformed)
    outcome = _either(lambda: outcome_from_json(document), Malformed)
    assert outcome is None or isinstance(encoded(outcome), bytes)


def _accepted(document: Any) -> Any:
    signed = SignedHeader.from_json(document)
    rows = document.get("validators")
    validators = (
        ValidatorSet(tuple(Validator.from_json(row) for row in rows if row))
        if isinstance(rows, list)
        else None
    )
    if validators is None:
        raise Malformed("validators is no array")
    known = chain().trusted(2)
    return accept(known, validator_set(chain().numbers(3)), signed, validators, CHAIN_ID)


def claims(raw: bytes) -> None:
    """What a node says in events."""
    document = json_of(raw)
    if isinstance(document, dict):
        changes = claimed_changes(document, TREASURY, (Denom("ujuno"),))
        assert changes is None or set(changes) == {"ujuno"}


def proof(raw: bytes) -> None:
    """State proofs, as JSON or as the bytes of their first step: nothing proves what is not so."""
    document = json_of(raw)
    steps = _either(lambda: ops_from_json(document), Malformed)
    if steps is None:
        steps = (ops(PRESENT)[0]._replace(proof=raw), ops(PRESENT)[1])
    for key, value in ((PRESENT, b"60"), (ABSENT, b"50"), (ABSENT, b"")):
        _disprove(functools.partial(verify_membership, steps, ROOT, "bank", key, value))
    _disprove(lambda: verify_non_membership(steps, ROOT, "bank", PRESENT))
    _either(lambda: verify_membership(steps, ROOT, "bank", PRESENT, STORE[PRESENT]), Unproven)
    absent = (ops(ABSENT)[0]._replace(proof=raw), ops(ABSENT)[1])
    _either(lambda: verify_non_membership(absent, ROOT, "bank", ABSENT), Unproven)


def _disprove(verify: Callable[[], None]) -> None:
    try:
        verify()
    except Unproven:
        return
    raise AssertionError("something was proved that is not so")


QUESTIONS: Final[tuple[Callable[[NodeClient], Any], ...]] = (
    lambda node: node.status(),
    lambda node: node.signed_header(5),
    lambda node: node.headers(5, 30),
    lambda node: node.validators(5),
    lambda node: node.bodies([5, 6]),
    lambda node: node.next_block(5),
    lambda node: node.states([(StateKey("bank", b"\x02"), 5)]),
    lambda node: node.results(5),
)


def rpc(raw: bytes) -> None:
    """The body of a node's HTTP answer, to every question that is ever asked."""
    loop().run_until_complete(_ask_all(raw))


async def _ask_all(raw: bytes) -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=_addressed(raw, request)))
    async with NodeClient("node 1", "http://node/", transport=transport) as node:
        for question in QUESTIONS:
            try:
                await question(node)
            except (NodeUnavailable, Malformed) as error:
                str(error).encode()
        assert isinstance(await node.broadcast(b"tx"), BroadcastAnswer)


def _addressed(raw: bytes, request: httpx.Request) -> bytes:
    """Return ``raw`` as the answer to ``request``: as it is where it looks like a whole answer, else as its result."""
    asked = json.loads(request.content)
    if raw[:1] in (b"!", b""):
        return raw[1:]
    bodies = [
        b'{"id":%d,%s}' % (call["id"], _member(raw))
        for call in (asked if isinstance(asked, list) else [asked])
    ]
    return b"[" + b",".join(bodies) + b"]" if isinstance(asked, list) else bodies[0]


def _member(raw: bytes) -> bytes:
    return b'"error":' + raw[1:] if raw[:1] == b"~" else b'"result":' + raw


PIECES: Final = (1, 2, 3, 50)
"""In how many bytes at a time a long answer comes."""


def longresults(raw: bytes) -> None:
    """The body of an answer of any length, in pieces: what is hashed of it is what a JSON reader finds in it."""
    text = _either(raw.decode, ValueError)
    whole = None if text is None else json_of(text.encode())
    left = {_either(functools.partial(_thinned, raw, size), Malformed) for size in PIECES} - {None}
    assert len(left) <= 1, "where the pieces end makes a difference"
    if isinstance(whole, dict):
        assert all(_hashed(json_of(each or b"")) == _hashed(whole) for each in left), "another result"


def _thinned(raw: bytes, size: int) -> bytes:
    thinner = Thinner()
    return b"".join(thinner.feed(raw[at : at + size]) for at in range(0, len(raw), size))


def _hashed(answer: dict[str, Any]) -> str:
    result = answer.get("result")
    rows = result.get("txs_results") if isinstance(result, dict) else None
    outcomes = [
        _either(functools.partial(outcome_from_json, row), Malformed)
        for row in (rows if isinstance(rows, list) else ())
    ]
    return repr((answer.get("id"), answer.get("error"), outcomes))


@functools.cache
def loop() -> asyncio.AbstractEventLoop:
    """The event loop of the targets that need one."""
    made = asyncio.new_event_loop()
    atexit.register(_close, made)
    return made


def _close(made: asyncio.AbstractEventLoop) -> None:
    """Let what was broken off come to its end: an answer that was too long is read no further."""
    made.run_until_complete(made.shutdown_asyncgens())
    for task in asyncio.all_tasks(made):
        made.run_until_complete(task)
    made.close()


def signature(raw: bytes) -> None:
    """What a member pasted as the signature of a wallet."""
    proof = _either(lambda: read_proof(text_of(raw)), Refused)
    if proof is None:
        return
    kept = json.loads(proof.text())
    assert read_proof(f"{kept['signature']} {kept['pub_key']}") == proof, "it is not kept as it was read"
    signer = address.encode(PREFIX, address.key_address(proof.public_key))
    assert not proves(proof, PREFIX, TREASURY, "a text"), "the treasury's key signed it"
    if proves(proof, PREFIX, signer, "a text"):
        assert not proves(proof, PREFIX, signer, "another text"), "one signature, two texts"


def button(raw: bytes) -> None:
    """Callback data, pressed by Ana, by Ben and by a stranger."""
    token = text_of(raw)
    for presser in (ANA, BEN, 99):
        try:
            pressed = buttons.pressed_by(buttons.find(schema(), token), presser, NOW)
        except Refused as refusal:
            _speakable(refusal)
        else:
            assert pressed.id == token, "another button was pressed"
            assert len(token) <= LONGEST_TOKEN
            assert presser == ANA or pressed.owner is None, "somebody else's button was pressed"


def _speakable(refusal: Refused) -> None:
    """A refusal can be written down and told."""
    json.dumps(refusal.facts)


def _either(read: Callable[[], T], refusal: type[Exception]) -> T | None:
    """Return what ``read`` gives, None when it refuses as it says it does."""
    try:
        return read()
    except refusal:
        return None


def proof_json(steps: tuple[ProofOp, ...]) -> dict[str, Any]:
    """Return ``steps`` as a node writes them."""

    def b64(octets: bytes) -> str:
        return base64.b64encode(octets).decode()

    return {"ops": [{"type": op.type, "key": b64(op.key), "data": b64(op.proof)} for op in steps]}


TARGETS: Final[dict[str, Target]] = {
    each.__name__: each
    for each in (
        update,
        command,
        conversation,
        amount,
        giveaway,
        recipient,
        shared,
        memo,
        destination,
        coins,
        tx,
        protobuf,
        header,
        claims,
        proof,
        rpc,
        longresults,
        button,
        signature,
        talk,
        order,
    )
}
JSON_TARGETS: Final = (
    "update",
    "conversation",
    "header",
    "claims",
    "proof",
    "rpc",
    "longresults",
    "signature",
)
"""Targets whose bytes are documents: worth changing one place at a time."""
