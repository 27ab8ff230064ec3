"""Names of topics and subscriptions, by Pub/Sub's rules."""

import re

from localcloud.pubsub.errors import invalid

_PROJECT = r"projects/(?P<project>[a-z0-9][a-z0-9:.\-]*)"
_ID = r"(?P<id>(?!goog)[A-Za-z][A-Za-z0-9._~+%\-]{2,254})"
_PATTERNS = {
    "topic": re.compile(f"{_PROJECT}/topics/{_ID}"),
    "subscription": re.compile(f"{_PROJECT}/subscriptions/{_ID}"),
}


def check_name(kind: str, name: str) -> None:
    """Refuse a name that Pub/Sub would refuse. `kind` is `topic` or `subscription`."""
    if not _PATTERNS[kind].fullmatch(name):
        raise invalid(
            f'"{name}" is not a {kind} name: expected projects/PROJECT/{kind}s/ID, where ID has 3 to 255 '
            'letters, digits and -_.~+%, starts with a letter and not with "goog".'
        )


def split_name(name: str) -> tuple[str, str]:
    """Project and id of a full name: `projects/p/subscriptions/s` gives `("p", "s")`."""
    _, project, _, short = name.split("/", 3)
    return project, short


def check_project(name: str) -> None:
    """Refuse what is not `projects/PROJECT`."""
    if not re.fullmatch(_PROJECT, name):
        raise invalid(f'"{name}" is not a project name: expected projects/PROJECT.')
