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


_UNKNOWN = Remedy("This version of the command does not know the reason.", "Read the error; update the command.")

REMEDIES: dict[str, Remedy] = {
    "malformed_message": Remedy(
        "`show` prints the data: something other than Cloud Storage and ingest publishes to the topic.",
        "Stop the publisher, then discard. `dropmerge backfill` re-announces the file, if there is one.",
    ),
    "no_feed": Remedy(
        "The error shows the file's name and every feed's pattern.",
        "Add a contract or widen its pattern, run `feeds check`, deploy ingest, replay; or move the file and discard.",
    ),
    "unknown_feed": Remedy(
        "ingest has the feed's contract and merge does not: they were deployed with different contracts.",
        "Deploy merge with the same contracts, then replay.",
    ),
    "object_gone": Remedy(
        "The error names the generation. The sender, or a rule of the bucket, deletes or moves files before they are "
        "read. If the file was overwritten and then deleted, the newer generation is processed on its own.",
        "Have the file sent again, then discard: the new generation is processed on its own. Ask the sender to move a "
        "file only once `explain` says merged.",
    ),
    "empty_file": Remedy(
        "The sender wrote nothing, or the upload was cut off.",
        "Have the file sent again under the same name, then discard: the new generation is processed on its own.",
    ),
    "wrong_format": Remedy(
        "The error names the format of the first bytes, if it is a known one.",
        "Have the file sent in the feed's format, then discard; or fix the contract, deploy ingest and replay.",
    ),
    "wrong_encoding": Remedy(
        "The error names the first byte that is not in the encoding, or the byte order mark, and the encodings that "
        "would fit.",
        "Set `encoding` in the contract's format, run `feeds check`, deploy ingest and replay; or have the file sent "
        "as UTF-8, then discard.",
    ),
    "wrong_header": Remedy(
        "The error names missing, unknown and repeated columns, with similar names. If the first line may be a row of "
        "data, the error only counts them: the file may have no header.",
        "If the file is right: fix the contract, run `feeds check`, deploy both services and replay. "
        "If the contract is right: have the file sent again, then discard.",
    ),
    "no_final_newline": Remedy(
        "The last byte is not a line end. Only contracts with `final_newline: true` require one.",
        "If the upload was cut off: have the file sent again, then discard. If the sender never ends the last line: "
        "remove `final_newline` from the contract, run `feeds check`, deploy ingest and replay.",
    ),
    "file_too_large": Remedy(
        "The error has the file's size and the limit, which is 4 GiB for gzip and for CSV whose quoted fields may "
        "have line ends: BigQuery cannot read such a file in parts.",
        "If no field has line ends: set `quoted_newlines: false` in the contract's format, deploy both services and "
        "replay; a gzip file must also be sent unpacked. Else have it sent as several files, then discard.",
    ),
    "malformed_file": Remedy(
        "The error has BigQuery's message with the place, such as an open quote or text after a closing one; or "
        "it says that the gzip data are cut off or have bytes after them. A … stands for a possible value of a row: "
        "the job, `dropmerge-load-LOAD_ID-…`, has the whole text (`bq show -j`).",
        "Have the file sent again, then discard. If most files fail, check the contract's delimiter.",
    ),
    "too_many_bad_rows": Remedy(
        "The error counts the rows by reason; `dropmerge rejected --object NAME` shows each row with its record "
        "number and the bad value.",
        "Nothing of the file is merged. If the rows are wrong: `dropmerge rejected --object NAME --csv FILE` writes "
        "the whole file, and FILE.reasons.csv lists the bad rows; correct those, drop FILE, then discard. If a check "
        "or `bad_rows` is too strict: fix the contract, deploy ingest and replay.",
    ),
    "contract_changed": Remedy(
        "The error names what the contract says and what the main table has.",
        "Undo the change and deploy merge, or rebuild the table from the archive (`dropmerge rebuild FEED`); "
        "then replay.",
    ),
    "contracts_differ": Remedy(
        "`dropmerge status` says which service runs which contract.",
        "Deploy both services with the same contract, then replay: the file is read by it.",
    ),
    "table_not_adopted": Remedy(
        "The error names the columns that the table lacks: a person or another program made it.",
        "Take it over with its rows (`dropmerge adopt FEED`), or name another table and deploy both services; "
        "then replay.",
    ),
    "too_expensive": Remedy(
        "The error says how much BigQuery would bill, by its estimate, and how much the contract allows. Nothing was "
        "run or billed. Has the main table grown, or is the file larger than usual?",
        "Set a higher `max_bytes_billed`, deploy both services and replay; or make a MERGE read less first: "
        "`merge_every`, `partition_by` and `cluster_by` in docs/costs.md.",
    ),
    "snapshot_too_small": Remedy(
        "The error says how many keys the file has and how many rows the table has: the file would replace them all.",
        "If the file was cut off: have it sent again, then discard. If it is whole: set a lower "
        "`snapshot: {at_least: …}`, deploy both services and replay.",
    ),
    "staging_missing": Remedy(
        "`dropmerge explain` shows the file's history: its staging table expired, or was deleted before its MERGE.",
        "Re-announce the pinned copy with `dropmerge backfill --dead-letters gs://ARCHIVE/FEED/LOAD_ID`, and "
        "discard once `explain` says merged. A newer generation may have replaced the file in the landing bucket, and "
        "replaying this message alone does not bring its table back.",
    ),
    "not_found": Remedy(
        "The error names the dataset, bucket or table.",
        "Create it (deploy the foundation), then replay.",
    ),
    "access_denied": Remedy(
        "The error names the permission and the resource.",
        "Grant it to the service's identity (deploy the service), then replay.",
    ),
    "refused_by_warehouse": Remedy(
        "The error is BigQuery's own, with … for what may be a value of a row; the job that it names has the whole "
        "text (`bq show -j`). Usually somebody changed a main table by hand, or the bucket and the datasets are in "
        "different locations.",
        "Undo the change or fix the contract, deploy, then replay.",
    ),
    "delivery_attempts_exhausted": Remedy(
        "Pub/Sub does not pass on the error: the service's log has one per attempt, with the message's id.",
        "Replay once the service answers again (after a quota, an outage or a crash).",
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
