"""What to do about each reason a dead letter can carry. The runbook's tables are made from here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.shared.reasons import REASONS, ROW_REASONS


@dataclass(frozen=True)
class Remedy:
    cause: str
    """How to find it."""
    fix: str


_UNKNOWN = Remedy("A reason that this version of the command does not know.", "Read the error; update the command.")

REMEDIES: dict[str, Remedy] = {
    "malformed_message": Remedy(
        "`show` prints the data: someone or something other than Cloud Storage and ingest publishes to the topic.",
        "Stop the publisher, then discard. `dropmerge backfill` announces a file that it was about.",
    ),
    "no_feed": Remedy(
        "The error lists every feed's pattern beside the object's name.",
        "Add or widen a contract, check it with `feeds check`, deploy ingest, replay; or move the file and discard.",
    ),
    "unknown_feed": Remedy(
        "ingest knows the feed and merge does not: they were deployed with different contracts.",
        "Deploy merge with the same contracts, replay.",
    ),
    "object_gone": Remedy(
        "The error names the generation. A sender, or a rule of the bucket, deletes or moves files before they are "
        "read; of an object that was overwritten and then deleted, the newer generation has an end of its own.",
        "Have the file sent again, then discard: the new generation goes its own way. Let the sender move a file "
        "only once `explain` says merged.",
    ),
    "empty_file": Remedy(
        "The sender wrote nothing, or the upload was cut.",
        "Have the file sent again under the same name, then discard: the new generation goes its own way.",
    ),
    "wrong_format": Remedy(
        "The error names the format that the first bytes are of, where they are of one that is known.",
        "Have the file sent as the feed's format, then discard; or fix the contract, deploy ingest, replay.",
    ),
    "wrong_encoding": Remedy(
        "The error names the first byte that is not in the encoding, or the byte order mark, and what the contract "
        "could say.",
        "Write `encoding` in the contract's format, `feeds check`, deploy ingest, replay; or have the file sent as "
        "UTF-8, then discard.",
    ),
    "wrong_header": Remedy(
        "The error names missing, unknown and doubled columns, with near misses. Where the first line may be a row of "
        "data it only counts them: the file may have no header.",
        "If the file is right: fix the contract, `feeds check`, deploy both services, replay. "
        "If the contract is right: have the file sent again, then discard.",
    ),
    "no_final_newline": Remedy(
        "The last byte is no line end. Only a contract that says `final_newline: true` asks for one.",
        "The upload was cut off: have the file sent again, then discard. If the sender never ends the last line: take "
        "`final_newline` out of the contract, `feeds check`, deploy ingest, replay.",
    ),
    "malformed_file": Remedy(
        "The error has the place that BigQuery names: an open quote or text after one; or says that gzip data were "
        "cut off or have bytes after them. A … stands for what may be a value of a row: the job, "
        "`dropmerge-load-LOAD_ID-…`, has the whole text (`bq show -j`).",
        "Have the file sent again, then discard. Should most files fail, look at the contract's delimiter.",
    ),
    "too_many_bad_rows": Remedy(
        "The error counts the rows by reason; `dropmerge rejected --object NAME` shows each with its record's number "
        "and the value.",
        "Nothing of the file is merged. If the rows are wrong: `dropmerge rejected --object NAME --csv FILE` writes "
        "the whole file, and FILE.reasons.csv which rows are bad; fix those, drop FILE, then discard. If a check or "
        "`bad_rows` is too strict: fix the contract, deploy ingest, replay.",
    ),
    "contract_changed": Remedy(
        "The error names what the contract says and what the main table has.",
        "Take the change back and deploy merge, or make the table anew from the archive (`dropmerge rebuild FEED`); "
        "then replay.",
    ),
    "contracts_differ": Remedy(
        "`dropmerge status` says which service runs which contract.",
        "Deploy both services with one contract, then replay: the file is read by it.",
    ),
    "table_not_adopted": Remedy(
        "The error names the columns that the table lacks: another program, or a person, made it.",
        "Take it over with its rows (`dropmerge adopt FEED`), or name another table and deploy both services; "
        "then replay.",
    ),
    "snapshot_too_small": Remedy(
        "The error says how many keys the file has and how many rows the table: it would replace them all.",
        "If the file was cut: have it sent again, then discard. If it is whole: write a lower "
        "`snapshot: {at_least: …}`, deploy both services, replay.",
    ),
    "staging_missing": Remedy(
        "`dropmerge explain` on the object: the staging table expired, or was deleted before its MERGE.",
        "Announce the pinned copy again with `dropmerge backfill --dead-letters gs://ARCHIVE/FEED/LOAD_ID`, and "
        "discard once `explain` says merged. In the landing bucket a newer generation may be in its place, and "
        "replaying this message alone cannot bring its table back.",
    ),
    "not_found": Remedy(
        "The error names the dataset, bucket or table.",
        "Create it (apply the foundation), replay.",
    ),
    "access_denied": Remedy(
        "The error names the permission and the resource.",
        "Grant it to the service's identity (apply the service's Terraform), replay.",
    ),
    "refused_by_warehouse": Remedy(
        "The error is BigQuery's own, with … for what may be a value of a row; the job that it names has the whole "
        "text (`bq show -j`). Usually a main table was changed by hand, or bucket and datasets are in different "
        "places.",
        "Undo the change or fix the contract, deploy, replay.",
    ),
    "delivery_attempts_exhausted": Remedy(
        "Pub/Sub forwards no error: the service's log has one for each attempt, by the message's id.",
        "Once the service answers again (quota, outage, crash), replay.",
    ),
}


def remedy_for(reason: str) -> Remedy:
    return REMEDIES.get(reason, _UNKNOWN)


def table() -> Iterator[str]:
    """The lines of the runbook's table, in Markdown."""
    yield "| reason | what it means | how to find the cause | how to fix it |"
    yield "|---|---|---|---|"
    for reason, meaning in REASONS.items():
        remedy = remedy_for(reason)
        yield f"| `{reason}` | {meaning} | {remedy.cause} | {remedy.fix} |"


def row_table() -> Iterator[str]:
    """The same for the reasons of rows."""
    yield "| reason | what it means |"
    yield "|---|---|"
    for reason, meaning in ROW_REASONS.items():
        yield f"| `{reason}` | {meaning} |"


if __name__ == "__main__":
    print("\n".join([*table(), "", *row_table()]))
