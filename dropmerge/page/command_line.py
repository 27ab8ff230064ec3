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
    return " ".join(map(quoted, ["dropmerge", *words, *given]))


def quoted(word: str) -> str:
    """As shlex has it, but what cannot be seen, or turns the line around, as an escape that bash and zsh read."""
    if word.isprintable():
        return shlex.quote(word)
    return f"$'{''.join(map(_escaped, word))}'"


def _escaped(one: str) -> str:
    if one in "\\'":
        return f"\\{one}"
    return one if one.isprintable() else f"\\U{ord(one):08x}" if one > "\x7f" else f"\\{ord(one):03o}"
