"""Links: where the addresses in a message lead, and whether that is allowed.

What a browser would open counts, not what is shown: letters of other scripts are compared by their punycode form, a
name before an ``@`` is no host, and a link that cannot be understood leads nowhere that is allowed.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from bot.intents import Said, cut
from bot.rules.words import visible

MOST_LINKS: Final = 200
"""Links of one message that are looked at: a message with more of them leads nowhere that is allowed."""
_MOST_SCHEMES: Final = 3
"""How often one address may begin anew, as in https:https:example.org."""

_BEGINS: Final = re.compile(r"(?i)\b[a-z][a-z0-9+.-]{0,30}://|\bwww\.")
_ENDS: Final = ".,;:!?\"'()[]{}<>«»“”„…"
_HOST: Final = re.compile(r"(?:[\w-]{1,63}\.){1,10}(?P<top>[^\W\d_]{2,24}|xn--[\w-]{2,59})\.?")
_TOPS: Final = frozenset(
    {
        "app",
        "biz",
        "cc",
        "club",
        "co",
        "com",
        "dev",
        "finance",
        "gg",
        "info",
        "io",
        "link",
        "live",
        "me",
        "money",
        "net",
        "online",
        "org",
        "pro",
        "ru",
        "sbs",
        "shop",
        "site",
        "store",
        "to",
        "top",
        "tv",
        "vip",
        "wiki",
        "win",
        "xyz",
    }
)
"""Endings by which a bare domain is known; Telegram marks those of all others, and those are found by their marks."""
_DOTS: Final = str.maketrans("\u3002\uff61\uff0e", "...")
"""What browsers take for a dot in a host."""
TELEGRAM: Final = "t.me"
_TELEGRAMS: Final = frozenset({"telegram.me", "telegram.dog", "t.me"})


class Link(NamedTuple):
    """Where a link leads. ``host`` is empty when nobody can tell; ``path`` has no slash at its ends."""

    host: str
    path: str = ""


NOWHERE: Final = Link("")
"""Where a link leads that nobody can read."""


def breaks(said: Said, allowed: Sequence[str]) -> bool:
    """Tell whether ``said`` has a link that leads anywhere but to the ``allowed`` domains (`domain`)."""
    return any(not _is_allowed(link, allowed) for link in links(said))


def links(said: Said) -> list[Link]:
    """Return the links in ``said``: those that Telegram marked, those behind words and buttons, and those left bare."""
    marked = (cut(said.text, e.offset, e.length) for e in said.entities if e.kind == "url")
    found = list(dict.fromkeys((*marked, *said.links, *_bare(said.text))))
    more = [NOWHERE] if len(found) > MOST_LINKS else []
    return [*map(leads_to, found[:MOST_LINKS]), *more]


def leads_to(address: str) -> Link:
    """Return where ``address`` leads, as a browser would read it."""
    text = visible(address).strip().replace("\\", "/").translate(_DOTS)
    for _ in range(_MOST_SCHEMES):
        if not re.match(r"(?i)[a-z][a-z0-9+.-]*:", text) or re.match(r"[^/:]+:\d", text):
            text = f"//{text}"
        try:
            parts = urlsplit(text)
            host, scheme = parts.hostname or "", parts.scheme
        except ValueError:
            return NOWHERE
        if scheme == "tg":
            return _in_telegram(parts.query)
        if host or scheme not in ("http", "https"):
            host = domain(host) or ""
            return Link(TELEGRAM if host in _TELEGRAMS else host, parts.path.strip("/").lower())
        # Browsers open https:example.org and https:///example.org all the same.
        text = parts.path.lstrip("/")
    return NOWHERE


def domain(text: str) -> str | None:
    """Return the host ``text`` in the form in which hosts are compared, None when it is none."""
    host = unicodedata.normalize("NFKC", unquote(text)).translate(_DOTS).strip(".").lower()
    try:
        plain = host.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    return plain if re.fullmatch(r"[a-z0-9.:_-]{1,253}", plain) else None


def allowance(text: str) -> str | None:
    """Return what ``/rules allow`` was given as it is kept: a domain, or a domain with a path; None for neither."""
    link = leads_to(text)
    if "." not in link.host:
        return None
    return f"{link.host}/{link.path}" if link.path else link.host


def _in_telegram(query: str) -> Link:
    name = re.search(r"(?:^|&)domain=(\w+)", query)
    return Link(TELEGRAM, name[1].lower() if name else "")


def _is_allowed(link: Link, allowed: Iterable[str]) -> bool:
    return any(_covers(entry, link) for entry in allowed)


def _covers(entry: str, link: Link) -> bool:
    host, _, path = entry.partition("/")
    if link.host != host and not link.host.endswith(f".{host}"):
        return False
    return not path or link.path == path or link.path.startswith(f"{path}/")


def _bare(text: str) -> Iterator[str]:
    """Yield the addresses that stand in ``text`` though Telegram may not have marked them."""
    for word in visible(text).translate(_DOTS).split():
        starts = [found.start() for found in _BEGINS.finditer(word)]
        if starts:
            # An address inside of another leads nowhere by itself; one behind a comma or a bracket does.
            starts = [at for at in starts if at == starts[0] or word[at - 1] in _ENDS]
            yield from (word[at:end].rstrip(_ENDS) for at, end in pairwise((*starts, len(word))))
            continue
        token = word.strip(_ENDS)
        host, slash, _ = token.partition("/")
        found = _HOST.fullmatch(host.partition(":")[0]) if "@" not in host else None
        if found and (slash or found["top"].lower() in _TOPS):
            yield token
