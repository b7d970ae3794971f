"""Inline keyboards: what Telegram accepts under a message."""

from typing import Any, Final
from urllib.parse import urlsplit

from sandbox.telegram.refusals import bad_request

_KINDS: Final = ("callback_data", "url", "copy_text", "web_app", "switch_inline_query", "login_url", "pay")
_MOST_BUTTONS: Final = 100

Keyboard = list[list[dict[str, Any]]]


def checked_markup(markup: Any) -> dict[str, Any] | None:
    """Return the markup to keep with a message, None for an empty keyboard.

    Limits of Telegram: callback data 1-64 bytes, copied text 1-256 characters, 100 buttons. Raises ApiError 400.
    """
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    rows = markup.get("inline_keyboard")
    if rows is None:
        return None  # a reply keyboard, its removal or a forced reply: nothing stays under the message
    if not isinstance(rows, list) or any(not isinstance(row, list) for row in rows):
        raise bad_request("object expected as reply markup: field inline_keyboard must be an Array of Arrays")
    keyboard = [[_checked(button) for button in row] for row in rows if row]
    if sum(map(len, keyboard)) > _MOST_BUTTONS:
        raise bad_request("reply markup is too long")
    return {"inline_keyboard": keyboard} if keyboard else None


def _checked(button: Any) -> dict[str, Any]:
    if not isinstance(button, dict):
        raise bad_request("can't parse inline keyboard button: expected an Object")
    text = button.get("text")
    if not isinstance(text, str) or not text.strip():
        raise bad_request('can\'t parse inline keyboard button: Field "text" must be of type String')
    kinds = [kind for kind in _KINDS if kind in button]
    if not kinds:
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        )
    if "callback_data" in button:
        _check_callback(button["callback_data"])
    if "copy_text" in button:
        _check_copied(button["copy_text"])
    if "url" in button:
        _check_url(button["url"])
    return button


def _check_callback(content: Any) -> None:
    if not isinstance(content, str) or not 1 <= len(content.encode()) <= 64:
        raise bad_request("BUTTON_DATA_INVALID")


def _check_copied(content: Any) -> None:
    text = content.get("text") if isinstance(content, dict) else None
    if not isinstance(text, str) or not 1 <= len(text) <= 256:
        raise bad_request("BUTTON_COPY_TEXT_INVALID")


def _check_url(url: Any) -> None:
    parts = urlsplit(str(url))
    if parts.scheme not in {"http", "https", "tg", ""} or not (parts.netloc or parts.path):
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: URL host is empty")
    if "." not in parts.netloc + parts.path and parts.scheme != "tg":
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def button_at(markup: dict[str, Any] | None, row: int, column: int) -> dict[str, Any] | None:
    """Return the button in ``row`` and ``column`` (from 0), or None."""
    keyboard: Keyboard = (markup or {}).get("inline_keyboard", [])
    if 0 <= row < len(keyboard) and 0 <= column < len(keyboard[row]):
        return keyboard[row][column]
    return None
