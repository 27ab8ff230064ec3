"""The options that several commands share, each read, checked and described once."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from deploy.topology import ROOT, SERVICES
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


def parse_rate(text: str) -> float:
    """Messages a second: 10, 10/s, 0.5/s."""
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(?:/s)?", text)
    if match is None or not float(match[1]):
        raise typer.BadParameter(f"{text!r} is not a number of messages a second above zero, such as 10/s")
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


def parse_glob(text: str) -> str:
    """For fnmatch, which takes a bracket that is never closed for itself, and finds nothing."""
    if not text or re.search(r"\[!?[^]]*$", text):
        raise typer.BadParameter(f"{text!r} is not a glob: it is empty, or a [ is never closed")
    return text


def parse_gcs_uri(text: str) -> GcsUri:
    """gs://bucket/name, where the name may be empty."""
    try:
        return GcsUri.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _one_of(allowed: Iterable[str], text: str) -> str:
    if text not in allowed:
        raise typer.BadParameter(f"{text!r} is not one of: {', '.join(allowed)}")
    return text


def parse_reason(text: str) -> str:
    """Why a message could not go on."""
    return _one_of(REASONS, text)


def parse_row_reason(text: str) -> str:
    """Why a row was rejected."""
    return _one_of(ROW_REASONS, text)


def parse_service(text: str) -> str:
    """Whose dead letters."""
    return _one_of(SERVICES, text)


def _complete_feed(context: typer.Context, incomplete: str) -> list[str]:
    """As the files say: to check each contract takes longer than a person waits for the shell."""
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
        help="The folder that the local cloud keeps its data, logs and ports in.",
    ),
]
Project = Annotated[
    str | None,
    typer.Option("--project", metavar="PROJECT", help="A Google Cloud project, instead of the local cloud."),
]
Feeds = Annotated[
    Path,
    typer.Option(
        "--feeds",
        metavar="DIR",
        envvar="DROPMERGE_FEEDS",
        help="The folder of contracts.",
        show_default="deploy/feeds",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, change nothing.")]
AllOfThem = Annotated[bool, typer.Option("--all", help="All that wait: instead of a filter.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Rate = Annotated[
    float | None,
    typer.Option("--rate", parser=parse_rate, metavar="N/s", help="Messages a second at most. [default: no limit]"),
]
FeedName = Annotated[
    str | None, typer.Option("--feed", autocompletion=_complete_feed, metavar="FEED", help="Of this feed only.")
]
FeedArgument = Annotated[str, typer.Argument(autocompletion=_complete_feed, metavar="FEED", help="Whose main table.")]
RowFeed = Annotated[
    str | None,
    typer.Option("--feed", autocompletion=_complete_feed, metavar="FEED", help="With --row: whose table."),
]
TargetFeed = Annotated[
    str | None,
    typer.Option("--feed", autocompletion=_complete_feed, metavar="FEED", help="Drop where this feed looks."),
]
To = Annotated[
    GcsUri | None,
    typer.Option("--to", parser=parse_gcs_uri, metavar="gs://BUCKET/NAME", help="A name, or a folder ending in /."),
]
Object = Annotated[
    str | None,
    typer.Option("--object", parser=parse_glob, metavar="GLOB", help="Whose object's name matches: * ? [abc]."),
]
Reason = Annotated[
    str | None,
    typer.Option(
        "--reason", parser=parse_reason, autocompletion=_reasons, metavar="REASON", help="With this reason only."
    ),
]
RowReason = Annotated[
    str | None,
    typer.Option(
        "--reason",
        parser=parse_row_reason,
        autocompletion=_row_reasons,
        metavar="REASON",
        help="With this reason among theirs, such as not_a_number.",
    ),
]
OlderThan = Annotated[
    timedelta | None,
    typer.Option("--older-than", parser=parse_age, metavar="AGE", help="Dead for longer: 90s, 30m, 12h, 7d."),
]
Ids = Annotated[list[str] | None, typer.Option("--id", metavar="ID", help="This one; may be repeated.")]
Service = Annotated[
    str | None,
    typer.Option(
        "--service", parser=parse_service, autocompletion=_services, metavar="SERVICE", help="Of ingest or merge only."
    ),
]
Limit = Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="This many at most.")]
Canary = Annotated[
    int | None,
    typer.Option(
        "--canary", min=1, metavar="N", help="Replay N first, and the rest only once all of them are merged; waits."
    ),
]
Timeout = Annotated[
    float, typer.Option("--timeout", parser=parse_seconds, metavar="SECONDS", help="Give up after this long.")
]
