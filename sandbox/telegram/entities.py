"""Formatted text as Telegram reads it: a strict subset of HTML, and what it finds in plain words by itself.

Offsets and lengths of entities count UTF-16 units; offsets in error texts count UTF-8 bytes of the input.
"""

import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from sandbox.telegram.refusals import bad_request

Entity = dict[str, Any]

_SIMPLE: Final = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "code": "code",
    "pre": "pre",
}
_TAGS: Final = {*_SIMPLE, "a", "blockquote", "tg-emoji", "tg-time"}
_NAMED: Final = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE: Final = re.compile(r"&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|([a-zA-Z]+));?")
_ATTRIBUTE_NAME: Final = re.compile(r"[^\s=>/\"']*")
_NAME_TOKEN: Final = re.compile(r"[A-Za-z0-9.-]*")
_SPACE: Final = re.compile(r"\s*")
_PLAIN: Final = re.compile(r"[^<&]+")
_ANY: Final = re.compile(r".", re.DOTALL)
_TAG_NAME: Final = re.compile(r"[^\s>]*")
_USER_LINK: Final = re.compile(r"tg://user\?id=(\d{1,15})")
_TIME_FORMAT: Final = re.compile(r"r|w?[dD]?[tT]?")

# What Telegram's server marks by itself. A command starts the text or follows a space.
_AUTOMATIC: Final = (
    ("bot_command", re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])")),
    ("url", re.compile(r"https?://[^\s<>\"]+")),
    ("mention", re.compile(r"(?<![\w@/])@[A-Za-z0-9_]{3,32}(?!\w)")),
    ("hashtag", re.compile(r"(?<![\w#&])#\w{1,256}")),
)


def utf16(text: str) -> int:
    """Return the length of ``text`` in UTF-16 units."""
    if text.isascii():
        return len(text)
    return len(text) + sum(character > "\uffff" for character in text)


def slice_utf16(text: str, offset: int, length: int) -> str:
    """Return the part of ``text`` that an entity covers."""
    units = text.encode("utf-16-le")
    return units[2 * offset : 2 * (offset + length)].decode("utf-16-le", "replace")


class _Open(NamedTuple):
    tag: str
    attributes: dict[str, str]
    offset: int
    start: int


def _unparsable(why: str) -> Exception:
    return bad_request(f"can't parse entities: {why}")


class _Html:
    """One pass over the text with a stack of open tags."""

    def __init__(self, source: str, user: Callable[[int], Any]) -> None:
        self.source = source
        self.user = user
        self.at = 0
        self.plain: list[str] = []
        self.offset = 0
        self.open: list[_Open] = []
        self.entities: list[Entity] = []

    def read(self) -> tuple[str, list[Entity]]:
        while self.at < len(self.source):
            if self.source.startswith("</", self.at):
                self.end_tag()
            elif self.source[self.at] == "<":
                self.start_tag()
            elif self.source[self.at] == "&":
                self.put(self.reference())
            else:
                self.put(self.take(_PLAIN))
        if self.open:
            raise _unparsable(f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"')
        return "".join(self.plain), sorted(self.entities, key=lambda e: (e["offset"], -e["length"]))

    def put(self, text: str) -> None:
        self.plain.append(text)
        self.offset += utf16(text)

    def byte(self, at: int) -> int:
        return len(self.source[:at].encode())

    def reference(self) -> str:
        """Take a character reference; an unknown one stays as it was typed."""
        found = _REFERENCE.match(self.source, self.at)
        text = _referred(found) if found else None
        if found is None or text is None:
            self.at += 1
            return self.source[self.at - 1]
        self.at = found.end()
        return text

    def take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.source, self.at)
        assert found is not None, "every pattern here may match nothing"
        self.at = found.end()
        return found.group()

    def peek(self, begin: int) -> str:
        if self.at >= len(self.source):
            raise _unparsable(f"Unclosed start tag at byte offset {self.byte(begin)}")
        return self.source[self.at]

    def start_tag(self) -> None:
        begin = self.at
        self.at += 1
        tag = self.take(_TAG_NAME).lower()
        self.peek(begin)
        if tag not in _TAGS:
            raise _unparsable(f'Unsupported start tag "{tag}" at byte offset {self.byte(begin)}')
        attributes = self.attributes(tag, begin)
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise _unparsable(f'Tag "span" must have class "tg-spoiler" at byte offset {self.byte(begin)}')
        self.open.append(_Open(tag, attributes, self.offset, len(self.plain)))

    def attributes(self, tag: str, begin: int) -> dict[str, str]:
        """Read up to and with the closing ``>``."""
        attributes: dict[str, str] = {}
        while True:
            self.take(_SPACE)
            if self.peek(begin) == ">":
                self.at += 1
                return attributes
            name = self.take(_ATTRIBUTE_NAME).lower()
            if not name:
                raise _unparsable(
                    f'Empty attribute name in the tag "{tag}" at byte offset {self.byte(begin)}'
                )
            self.take(_SPACE)
            if self.peek(begin) == "=":
                self.at += 1
                attributes[name] = self.value(begin)
            else:
                attributes[name] = ""

    def value(self, begin: int) -> str:
        self.take(_SPACE)
        quote = self.peek(begin)
        if quote not in "\"'":
            start = self.at
            token = self.take(_NAME_TOKEN).lower()
            if not self.peek(begin).isspace() and self.peek(begin) != ">":
                raise _unparsable(f"Unexpected end of name token at byte offset {self.byte(start)}")
            return token
        self.at += 1
        text: list[str] = []
        while self.peek(begin) != quote:
            text.append(self.reference() if self.source[self.at] == "&" else self.take(_ANY))
        self.at += 1
        self.peek(begin)
        return "".join(text)

    def end_tag(self) -> None:
        begin = self.at
        if not self.open:
            raise _unparsable(f"Unexpected end tag at byte offset {self.byte(begin)}")
        self.at += 2
        tag = self.take(_TAG_NAME).lower()
        self.take(_SPACE)
        if self.at >= len(self.source) or self.source[self.at] != ">":
            raise _unparsable(f"Unclosed end tag at byte offset {self.byte(begin)}")
        self.at += 1
        opened = self.open.pop()
        if tag and tag != opened.tag:
            raise _unparsable(
                f"Unmatched end tag at byte offset {self.byte(begin)}, "
                f'expected "</{opened.tag}>", found "</{tag}>"',
            )
        if self.offset > opened.offset:
            self.close(opened)

    def close(self, opened: _Open) -> None:
        text = "".join(self.plain[opened.start :])
        kind = _kind(opened, text, self.user)
        if kind is None:
            return
        place = {"offset": opened.offset, "length": self.offset - opened.offset}
        inside = self.open[-1].tag if self.open else ""
        if opened.tag == "code" and inside == "pre":
            kind = {"type": "pre"} | _language(opened)
        if kind["type"] == "pre" and self.entities and _covers(self.entities[-1], "pre", place):
            return  # the code inside spoke for both already
        self.entities.append({**place, **kind})


def _referred(found: re.Match[str]) -> str | None:
    hexadecimal, decimal, name = found.groups()
    if name is not None:
        return _NAMED.get(name)
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    if code == 0 or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return None
    return chr(code)


def _kind(opened: _Open, text: str, user: Callable[[int], Any]) -> Entity | None:
    """Return the type of an entity and its own fields, or None where Telegram drops the tag silently."""
    tag, attributes = opened.tag, opened.attributes
    if tag == "a":
        return _link(attributes.get("href") or text, user)
    if tag == "blockquote":
        return {"type": "expandable_blockquote" if "expandable" in attributes else "blockquote"}
    if tag == "tg-emoji":
        return {"type": "custom_emoji", "custom_emoji_id": attributes.get("emoji-id", "")}
    if tag == "tg-time":
        return _time(attributes)
    return {"type": _SIMPLE[tag]}


def _language(opened: _Open) -> Entity:
    name = opened.attributes.get("class", "")
    return {"language": name.removeprefix("language-")} if name.startswith("language-") else {}


def _covers(entity: Entity, kind: str, place: Entity) -> bool:
    return {name: entity[name] for name in ("type", "offset", "length")} == {"type": kind, **place}


def _time(attributes: dict[str, str]) -> Entity:
    unix, pattern = attributes.get("unix", ""), attributes.get("format", "")
    if not re.fullmatch(r"\d{1,11}", unix):
        raise _unparsable('Invalid "unix" attribute in the tag "tg-time"')
    if not _TIME_FORMAT.fullmatch(pattern):
        raise _unparsable('Invalid "format" attribute in the tag "tg-time"')
    entity = {"type": "date_time", "unix_time": int(unix)}
    return {**entity, "date_time_format": pattern} if pattern else entity


def _link(url: str, user: Callable[[int], Any]) -> Entity | None:
    mentioned = _USER_LINK.fullmatch(url)
    if mentioned:
        known = user(int(mentioned[1]))
        return None if known is None else {"type": "text_mention", "user": known}
    if re.match(r"https?://[^\s/.]+\.?[^\s]*|tg://", url):
        return {"type": "text_link", "url": url}
    return None


def parse_html(source: str, user: Callable[[int], Any]) -> tuple[str, list[Entity]]:
    """Return the plain text of ``source`` and its entities.

    ``user`` gives the API form of a user id for ``tg://user?id=`` links, or None when the bot never met them.
    Raises ApiError 400 "can't parse entities" as Telegram does.
    """
    return _Html(source, user).read()


def trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Cut white space around ``text`` and move the entities accordingly; what became empty goes."""
    front = utf16(text) - utf16(text.lstrip())
    text = text.strip()
    whole = utf16(text)
    kept = []
    for entity in entities:
        start = max(entity["offset"] - front, 0)
        end = min(entity["offset"] - front + entity["length"], whole)
        if end > start:
            kept.append({**entity, "offset": start, "length": end - start})
    return text, kept


def found_in(text: str, given: list[Entity]) -> list[Entity]:
    """Return ``given`` together with the commands, links, mentions and tags that Telegram marks by itself."""
    taken = [(e["offset"], e["offset"] + e["length"]) for e in given if e["type"] in _OPAQUE]
    entities = list(given)
    for kind, pattern in _AUTOMATIC:
        for match in pattern.finditer(text):
            start = utf16(text[: match.start()])
            end = start + utf16(match.group())
            if any(start < other_end and other_start < end for other_start, other_end in taken):
                continue
            taken.append((start, end))
            entities.append({"type": kind, "offset": start, "length": end - start})
    return sorted(entities, key=lambda e: (e["offset"], -e["length"]))


_OPAQUE: Final = {"code", "pre", "text_link", "text_mention", "custom_emoji", "mention", "url", "bot_command"}
