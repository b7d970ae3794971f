"""What people send beside words, as the Bot API tells of it: the least that a message of each kind has."""

from typing import Any, Final, Literal, get_args

from sandbox.telegram.model import File

MediaKind = Literal[
    "animation",
    "audio",
    "contact",
    "dice",
    "document",
    "location",
    "photo",
    "poll",
    "sticker",
    "video",
    "video_note",
    "voice",
]
KINDS: Final[tuple[str, ...]] = get_args(MediaKind)
WITH_CAPTION: Final = frozenset({"animation", "audio", "document", "photo", "video", "voice"})

_SIZED: Final = {"width": 64, "height": 64}
_MIMES: Final = {
    "animation": "video/mp4",
    "audio": "audio/mpeg",
    "document": "text/plain",
    "photo": "image/jpeg",
    "sticker": "image/webp",
    "video": "video/mp4",
    "video_note": "video/mp4",
    "voice": "audio/ogg",
}
_OWN: Final[dict[str, dict[str, Any]]] = {
    "animation": {**_SIZED, "duration": 3},
    "audio": {"duration": 180, "title": "A song"},
    "sticker": {**_SIZED, "type": "regular", "is_animated": False, "is_video": False, "emoji": "👍"},
    "video": {**_SIZED, "duration": 10},
    "video_note": {"length": 240, "duration": 10},
    "voice": {"duration": 5},
}
_PLAIN: Final[dict[str, dict[str, Any]]] = {
    "contact": {"phone_number": "+1555010", "first_name": "Somebody"},
    "dice": {"emoji": "🎲", "value": 4},
    "location": {"latitude": 47.0, "longitude": 8.0},
    "poll": {
        "id": "1",
        "question": "Tea?",
        "options": [{"text": word, "voter_count": 0, "persistent_id": word} for word in ("Yes", "No")],
        "total_voter_count": 0,
        "is_closed": False,
        "is_anonymous": True,
        "type": "regular",
        "allows_multiple_answers": False,
        "allows_revoting": False,
        "members_only": False,
    },
}


def mime_of(kind: str) -> str | None:
    """Return the type of the file behind a ``kind``, None for what has no file."""
    return _MIMES.get(kind)


def media_of(kind: str, file: File | None) -> dict[str, Any]:
    """Return the fields that make a message one of ``kind``; ``file`` is what it shows, where it has one."""
    if file is None:
        return {kind: _PLAIN[kind]}
    known = {"file_id": file.id, "file_unique_id": file.unique_id, "file_size": len(file.content)}
    if kind == "photo":
        return {"photo": [{**known, **_SIZED}]}
    described = {**known, "mime_type": file.mime, **_OWN.get(kind, {})}
    if kind in ("document", "animation"):
        described["file_name"] = file.name
    fields: dict[str, Any] = {kind: described}
    # As Telegram does for the sake of old bots.
    return {**fields, "document": described} if kind == "animation" else fields
