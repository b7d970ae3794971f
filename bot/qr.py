"""A deposit address as a QR code: the bare address, because no payment-URI standard exists (chain.md, Other)."""

import io
from typing import Final

import segno

_SCALE: Final = 10
_BORDER: Final = 4
"""Four modules of quiet zone are what the standard asks for."""


def address_png(address: str) -> bytes:
    """Return a PNG of ``address``, dark on white so that it reads in Telegram's dark theme too."""
    picture = io.BytesIO()
    segno.make_qr(address, error="m").save(picture, kind="png", scale=_SCALE, border=_BORDER, light="white")
    return picture.getvalue()
