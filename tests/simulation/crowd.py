"""The crowd: at each step one of the people does one act of one of the flows."""

from collections.abc import Sequence

from sandbox.node.mempool import MempoolError
from sandbox.telegram import SandboxRefused
from tests.simulation.city import City
from tests.simulation.flow import Flow


class Crowd:
    """Chooses among the acts of ``flows``, by their weight."""

    def __init__(self, city: City, flows: Sequence[Flow]) -> None:
        self._rng = city.random("crowd")
        acts = [act for flow in flows for act in flow.acts()]
        self._acts = [act.do for act in acts]
        self._weights = [act.weight for act in acts]

    def act(self) -> str:
        """Let somebody do one thing; return its name. What Telegram or the mempool refuses simply did not happen."""
        (chosen,) = self._rng.choices(self._acts, self._weights)
        name = chosen.__name__.strip("_")
        try:
            chosen()
        except (SandboxRefused, MempoolError, KeyError):
            return f"{name} refused"
        return name
