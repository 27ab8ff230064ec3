"""Who changed what, when and why: by run of a command or action of the page."""

from __future__ import annotations

from datetime import UTC, datetime

from dropmerge.operations.audit import COLUMNS, read_audit
from dropmerge.page.arguments import Arguments
from dropmerge.page.command_line import command_line
from dropmerge.page.site import Site
from dropmerge.page.view_model import ViewModel

_AGES = ("24h", "7d", "30d", "45d")


def audit(site: Site, arguments: Arguments) -> ViewModel:
    """Newest first, of the last 30 days."""
    word, age = arguments.text("since") or "30d", arguments.age("30d")
    answer = site.read(("audit", age), lambda connection: read_audit(connection, datetime.now(UTC) - age))
    found = answer.value[::-1]
    return ViewModel(
        "Audit",
        "audit.html",
        command_line("audit", since=word),
        answer.as_of,
        json=lambda: [one.as_json() for one in answer.value],
        columns=COLUMNS,
        rows=lambda: ({**one.as_json(), "events": one.what} for one in answer.value),
        values={"runs": found, "since": word, "ages": _AGES if word in _AGES else (*_AGES, word)},
        trouble=answer.trouble,
        every=30,
    )
