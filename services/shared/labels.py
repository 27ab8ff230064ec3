"""Labels of the jobs and tables that are made: a billing export, or INFORMATION_SCHEMA.JOBS, groups costs by them.

A label's value has small letters, digits, `_` and `-`, 63 at most
(https://cloud.google.com/bigquery/docs/labels-intro#requirements).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

from services.shared.release import VERSION

FEED, SERVICE, RELEASE = "dropmerge_feed", "dropmerge_service", "dropmerge_version"
_LONGEST = 63

_subject: ContextVar[Mapping[str, object]] = ContextVar("subject", default=MappingProxyType({}))


@contextmanager
def working_on(subject: Mapping[str, object]) -> Iterator[None]:
    """Jobs that run within are labelled with the feed of `subject`, which may come to be known meanwhile."""
    token = _subject.set(subject)
    try:
        yield
    finally:
        _subject.reset(token)


def service_labels(service: str) -> dict[str, str]:
    """Of all that a service, or `console` for the commands, makes."""
    return {SERVICE: value(service), RELEASE: value(VERSION)}


def feed_labels(feed: object = None) -> dict[str, str]:
    """Of what is made for this feed, or for the one that is worked on now; none where no feed is."""
    name = feed or _subject.get().get("feed")
    # A table that is built has the name of its feed before __.
    return {FEED: value(str(name).partition("__")[0])} if name else {}


def value(text: str) -> str:
    """A text as a label's value."""
    return re.sub(r"[^a-z0-9_-]", "_", text.lower())[:_LONGEST]
