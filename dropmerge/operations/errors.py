"""How an operation says that it did not do what was asked."""

from __future__ import annotations


class UsageError(Exception):
    """What was asked for cannot be meant, such as a feed or a dead letter that is not there. Nothing was done."""


class NotDone(Exception):
    """It was tried and is not done, or not so. The text says what happened and what to do next."""
