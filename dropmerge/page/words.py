"""The command that does the same as a page."""

from __future__ import annotations

import shlex


def command_line(*words: str, **options: object) -> str:
    """As it is typed; options without a value are left out."""
    given = [
        part
        for name, value in options.items()
        if value not in (None, "", False)
        for part in (f"--{name.replace('_', '-')}", *([] if value is True else [str(value)]))
    ]
    return shlex.join(["dropmerge", *words, *given])
