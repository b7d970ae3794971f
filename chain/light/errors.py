"""Why an answer of a node may not be believed. Pure: which node gave it is known one layer up."""


class Unproven(Exception):  # noqa: N818 - the field's word
    """The answer does not follow from what validators signed."""


class Malformed(Unproven):
    """The answer is not of the form that the protocol has, so nothing can follow from it."""


class TooFewSigned(Unproven):
    """Not enough of the power signed: for a trusted set of long ago a reason to go in smaller steps."""
