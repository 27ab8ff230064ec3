"""Who changed what, when and why: by run of a command or action of the page."""

from __future__ import annotations

from datetime import UTC, datetime

from dropmerge.operations.audit import read_audit
from dropmerge.page.asked import Asked
from dropmerge.page.shown import Shown
from dropmerge.page.site import Site
from dropmerge.page.words import command_line

_AGES = ("24h", "7d", "30d", "45d")


def audit(site: Site, asked: Asked) -> Shown:
    """Newest first, of the last 30 days."""
    word, age = asked.text("since") or "30d", asked.age("30d")
    answer = site.read(("audit", age), lambda connection: read_audit(connection, datetime.now(UTC) - age))
    found = answer.value[::-1]
    return Shown(
        "Audit",
        "audit.html",
        command_line("audit", since=word),
        answer.as_of,
        json=lambda: [one.as_json() for one in answer.value],
        rows=lambda: ({**one.as_json(), "events": one.what} for one in answer.value),
        values={"runs": found, "since": word, "ages": _AGES if word in _AGES else (*_AGES, word)},
        trouble=answer.trouble,
        every=30,
    )
