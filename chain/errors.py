"""What can go wrong on the way to the chain, by what the caller does about it."""


class ChainError(Exception):
    """Anything that a caller of the chain may meet and answer."""


class NodeUnavailable(ChainError):  # noqa: N818 - the field's word
    """No configured node gave a proved answer: wait and try again, decide nothing."""


class NotYet(NodeUnavailable):
    """The height is ahead of the chain: wait for it."""


class Pruned(NodeUnavailable):
    """No configured node still has the height: halt and alert, never skip."""


class Lied(NodeUnavailable):
    """A node's answer contradicts what validators signed; ``endpoint`` names it. Alert and use another."""

    def __init__(self, endpoint: str, why: str) -> None:
        super().__init__(f"{endpoint}: {why}")
        self.endpoint = endpoint
        self.why = why


class Halted(ChainError):  # noqa: N818
    """Nothing can go on before a person looked: trust expired, chains differ, wrong chain id."""
