"""All planted mistakes. A flow's own stand in a file beside this one, and in a line here."""

from typing import Final

from tests.simulation.mistakes import (
    chain,
    commands,
    deposits,
    giveaways,
    limits,
    news,
    penalties,
    restores,
    rules,
    shared,
    treasury,
    unclaimed,
    withdrawals,
)
from tests.simulation.planting import Mistake

MISTAKES: Final[tuple[Mistake, ...]] = (
    *commands.MISTAKES,
    *news.MISTAKES,
    *deposits.MISTAKES,
    *withdrawals.MISTAKES,
    *giveaways.MISTAKES,
    *limits.MISTAKES,
    *shared.MISTAKES,
    *penalties.MISTAKES,
    *restores.MISTAKES,
    *rules.MISTAKES,
    *treasury.MISTAKES,
    *unclaimed.MISTAKES,
    *chain.MISTAKES,
)
