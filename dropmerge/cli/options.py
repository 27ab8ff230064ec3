"""The options that several commands share, each read, checked and described once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from deploy.topology import ROOT, SERVICES
from dropmerge.cli.completion import complete_file, complete_letter
from dropmerge.cli.plain_help import COMMON
from dropmerge.operations.file_name import FileName
from dropmerge.operations.gcs_uri import GcsUri
from services.shared.reasons import REASONS, ROW_REASONS

DEFAULT_STATE_DIR = Path(".local")
DEFAULT_FEEDS_DIR = ROOT / "deploy" / "feeds"


def parse_age(text: str) -> timedelta:
    """90s, 30m, 12h, 7d."""
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is not a number and s, m, h or d, such as 12h")
    return timedelta(seconds=int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]])


def parse_time(text: str) -> datetime:
    """RFC 3339, or a date; UTC where no offset is given."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a time such as 2025-01-31T09:00:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def parse_since(text: str) -> datetime:
    """An age before now, such as 12h, or a time."""
    return datetime.now(UTC) - parse_age(text) if re.fullmatch(r"[0-9]+[smhd]", text) else parse_time(text)


def parse_rate(text: str) -> float:
    """Messages per second: 10, 10/s, 0.5/s."""
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(?:/s)?", text)
    if match is None or not float(match[1]):
        raise typer.BadParameter(f"{text!r} is not a number of messages per second above zero, such as 10/s")
    return float(match[1])


def parse_seconds(text: str | float) -> float:
    """Zero or more, and finite."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds >= 0):
        raise typer.BadParameter(f"{text!r} is not a number of seconds")
    return seconds


def parse_file(text: str) -> FileName:
    """Any way to name files."""
    try:
        return FileName.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def parse_gcs_uri(text: str) -> GcsUri:
    """gs://bucket/name, where the name may be empty."""
    try:
        return GcsUri.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def one_of(allowed: Iterable[str], text: str) -> str:
    """The text, if it is allowed."""
    if text not in allowed:
        raise typer.BadParameter(f"{text!r} is not one of: {', '.join(allowed)}")
    return text


def parse_reason(text: str) -> str:
    """Why a message failed for good."""
    return one_of(REASONS, text)


def parse_row_reason(text: str) -> str:
    """Why a row was rejected."""
    return one_of(ROW_REASONS, text)


def parse_service(text: str) -> str:
    """Whose dead letters."""
    return one_of(SERVICES, text)


def complete_feed(context: typer.Context, incomplete: str) -> list[str]:
    """The names that the files have: to check each contract takes longer than a person waits for the shell."""
    import yaml

    from services.shared.contract.files import contract_files

    names = []
    for path in contract_files(context.params.get("feeds") or DEFAULT_FEEDS_DIR):
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError):
            continue
        if isinstance(content, dict) and "feed" in content:
            names.append(str(content["feed"]))
    return [name for name in names if name.startswith(incomplete)]


def parse_state(text: str) -> str:
    """The state of a load."""
    return one_of(_states(""), text)


def _states(incomplete: str) -> list[str]:
    from dropmerge.operations.loads.states import State

    return [state.value for state in State if state.startswith(incomplete)]


def _reasons(incomplete: str) -> list[tuple[str, str]]:
    return [(name, what) for name, what in REASONS.items() if name.startswith(incomplete)]


def _row_reasons(incomplete: str) -> list[tuple[str, str]]:
    return [(name, what) for name, what in ROW_REASONS.items() if name.startswith(incomplete)]


def _services(incomplete: str) -> list[str]:
    return [name for name in SERVICES if name.startswith(incomplete)]


State = Annotated[
    Path,
    typer.Option(
        "--state",
        metavar="DIR",
        envvar="DROPMERGE_STATE",
        help="The folder where the local cloud keeps its data and logs.",
        rich_help_panel=COMMON,
    ),
]
Project = Annotated[
    str | None,
    typer.Option(
        "--project",
        metavar="PROJECT",
        help="Work on this Google Cloud project, not on the local cloud.",
        rich_help_panel=COMMON,
    ),
]
Feeds = Annotated[
    Path,
    typer.Option(
        "--feeds",
        metavar="DIR",
        envvar="DROPMERGE_FEEDS",
        show_envvar=False,
        help="The folder of contracts. [env var: DROPMERGE_FEEDS; default: deploy/feeds]",
        show_default=False,
        rich_help_panel=COMMON,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done and change nothing.")]
AllOfThem = Annotated[bool, typer.Option("--all", help="Every dead letter, instead of a filter.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Rate = Annotated[
    float | None,
    typer.Option(
        "--rate", parser=parse_rate, metavar="N/s", help="Publish at most N messages per second. [default: no limit]"
    ),
]
FeedName = Annotated[
    str | None, typer.Option("--feed", autocompletion=complete_feed, metavar="FEED", help="Only this feed.")
]
FeedArgument = Annotated[
    str, typer.Argument(autocompletion=complete_feed, metavar="FEED", help="The feed of the main table.")
]
RowFeed = Annotated[
    str | None,
    typer.Option("--feed", autocompletion=complete_feed, metavar="FEED", help="The feed to look in, with --row."),
]
TargetFeed = Annotated[
    str | None,
    typer.Option(
        "--feed", autocompletion=complete_feed, metavar="FEED", help="Upload to where this feed looks for files."
    ),
]
To = Annotated[
    GcsUri | None,
    typer.Option(
        "--to",
        parser=parse_gcs_uri,
        metavar="gs://BUCKET/NAME",
        help="Upload to this name, or into this folder if it ends in /.",
    ),
]
Object = Annotated[
    FileName | None,
    typer.Option(
        "--object",
        parser=parse_file,
        autocompletion=complete_file,
        metavar="FILE",
        help="Only this file, or the files that match a glob. Give a URI, a name or its end, or an id.",
    ),
]
File = Annotated[
    str | None,
    typer.Argument(
        metavar="FILE",
        autocompletion=complete_file,
        show_default=False,
        help="The file, by its URI, its name or the end of it, or an id.",
    ),
]
Reason = Annotated[
    str | None,
    typer.Option("--reason", parser=parse_reason, autocompletion=_reasons, metavar="REASON", help="Only this reason."),
]
RowReason = Annotated[
    str | None,
    typer.Option(
        "--reason",
        parser=parse_row_reason,
        autocompletion=_row_reasons,
        metavar="REASON",
        help="Only rows with this reason, such as not_a_number.",
    ),
]
OlderThan = Annotated[
    timedelta | None,
    typer.Option(
        "--older-than", parser=parse_age, metavar="AGE", help="Only letters older than this, such as 30m, 12h or 7d."
    ),
]
Ids = Annotated[
    list[str] | None,
    typer.Option(
        "--id", autocompletion=complete_letter, metavar="ID", help="Only this letter; repeat it for several."
    ),
]
Service = Annotated[
    str | None,
    typer.Option(
        "--service",
        parser=parse_service,
        autocompletion=_services,
        metavar="SERVICE",
        help="Only letters of ingest, or only of merge.",
    ),
]
Since = Annotated[
    datetime,
    typer.Option(
        "--since",
        parser=parse_since,
        metavar="AGE|DATE",
        help="Only events since then, such as 90m, 7d or 2026-11-01 (UTC).",
    ),
]
LoadState = Annotated[
    str | None,
    typer.Option(
        "--in-state", parser=parse_state, autocompletion=_states, metavar="STATE", help="Only files in this state."
    ),
]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV, with every column.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="Stop after N.")]
Canary = Annotated[
    int | None,
    typer.Option("--canary", min=1, metavar="N", help="Replay N and wait; replay the rest only if all N are merged."),
]
Timeout = Annotated[
    float,
    typer.Option("--timeout", parser=parse_seconds, metavar="SECONDS", help="Stop waiting after this many seconds."),
]
