"""All flows that people know. A new one is a file beside this one, and a line here."""

from typing import Final

from tests.simulation.flow import Flow
from tests.simulation.flows.approvals import Approvals
from tests.simulation.flows.deposits import Deposits
from tests.simulation.flows.giveaways import Giveaways
from tests.simulation.flows.mischief import Mischief
from tests.simulation.flows.penalties import Penalties
from tests.simulation.flows.restores import Restores
from tests.simulation.flows.roles import Roles
from tests.simulation.flows.rules import Rules
from tests.simulation.flows.shared import Shared
from tests.simulation.flows.transfers import Transfers
from tests.simulation.flows.treasury import Treasury
from tests.simulation.flows.unclaimed import Unclaimed
from tests.simulation.flows.withdrawals import Withdrawals

FLOWS: Final[tuple[type[Flow], ...]] = (
    Deposits,
    Transfers,
    Withdrawals,
    Approvals,
    Giveaways,
    Roles,
    Rules,
    Shared,
    Mischief,
    Restores,
    Treasury,
    Unclaimed,
    Penalties,
)
