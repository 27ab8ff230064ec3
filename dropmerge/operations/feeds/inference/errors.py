"""Why there is no contract for a file."""

from __future__ import annotations

from dropmerge.operations.errors import NotDone


class InferenceError(NotDone):
    """The file is not one that a contract can be made for; the text says why, and the way out."""
