"""A Juno node for one machine: real signatures, hashes and proofs, and faults that can be switched on."""

from sandbox.node.node import SANDBOX_PARAMETERS, JunoNode

__all__ = ["SANDBOX_PARAMETERS", "JunoNode"]
