"""The picture on the deposit card."""

import struct

from bot.qr import address_png

ADDRESS = "juno19rl4cm2hmr8afy4kldpxz3fka4jguq0a2jwxcf"


def test_it_is_a_square_png_large_enough_to_scan() -> None:
    picture = address_png(ADDRESS)
    width, height = struct.unpack(">II", picture[16:24])
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert width == height >= 300


def test_the_same_address_is_the_same_picture() -> None:
    assert address_png(ADDRESS) == address_png(ADDRESS)


def test_another_address_is_another_picture() -> None:
    assert address_png(ADDRESS) != address_png(ADDRESS[:-1] + "q")
