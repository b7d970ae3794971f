"""What a look at the books, the chain and the chats may find."""

from typing import NamedTuple


class Finding(NamedTuple):
    """Something that is not as people meant it: ``lost`` (or wrong in another way), else it is there too often."""

    lost: bool
    text: str
