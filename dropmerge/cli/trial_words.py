"""What is said of a file that was tried, by `feeds test` and by `preview`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dropmerge.cli.terminal import pluralize

if TYPE_CHECKING:
    from dropmerge.operations.trial.effect import Effect
    from dropmerge.operations.trial.price import Price
    from dropmerge.operations.trial.reading import Header, Read, RejectedRow
    from services.shared.contract.feed import Feed

_SHOWN = 20
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def lines(feed: Feed, found: Read, effect: Effect | None, price: Price | None) -> Iterator[str]:
    """For the owner of the data, who may see its values."""
    if found.header:
        yield f"header: {_header(feed, found.header)}"
    if found.counts:
        rejected = f"{found.counts.rejected or 'none'} rejected"
        deletes = "" if found.fault else f", {pluralize(found.counts.deletes, 'delete')}"
        yield f"{pluralize(found.counts.rows, 'row')}, {rejected}{deletes}"
        if found.counts.duplicate_keys:
            times = pluralize(found.counts.duplicate_keys, "time")
            yield f"warning: rows have the same key and version but differ, so only one is kept ({times})"
    yield from (f"  {pluralize(count, 'row')}: {reason}" for reason, count in (found.reasons or {}).items())
    yield from (f"  {_rejected(feed, row)}" for row in found.rejected[:_SHOWN])
    total = found.counts.rejected if found.counts else 0
    if total > _SHOWN:
        yield f"  … and {total - _SHOWN} more rejected rows"
    if found.fault:
        yield f"would be a dead letter: {found.fault.reason}: {found.fault.error}"
    if effect:
        yield f"{feed.table}: {_effect(effect)}"
    if price:
        yield _price(feed, price)


def as_json(found: Read, effect: Effect | None, price: Price | None) -> dict[str, Any]:
    """The same for scripts."""
    return {
        "header": asdict(found.header) if found.header else None,
        "rows": found.counts.rows if found.counts else None,
        "rejected_rows": found.counts.rejected if found.counts else None,
        "deletes": found.counts.deletes if found.counts and not found.fault else None,
        "duplicate_keys": found.counts.duplicate_keys if found.counts else None,
        "reasons": found.reasons or {},
        "rejected": [asdict(row) for row in found.rejected],
        "fault": asdict(found.fault) if found.fault else None,
        "effect": asdict(effect) if effect else None,
        "price": asdict(price) if price else None,
    }


def _header(feed: Feed, header: Header) -> str:
    said = [f"{len(header.found)} of {pluralize(len(feed.columns), 'column')} found"]
    what = {
        "missing, so NULL or the default": header.missing,
        "ignored": header.ignored,
        "added to the table": header.added,
        "kept in _rescued": header.rescued,
    }
    said += [f"{words}: {_listed(names)}" for words, names in what.items() if names]
    if feed.delete and not header.has_deletes:
        said.append(f"no {feed.delete.in_file}, so no row is a delete")
    return "; ".join(said)


def _listed(names: Sequence[str], most: int = 10) -> str:
    left = len(names) - most
    return ", ".join(names[:most]) + (f" and {left} more" if left > 0 else "")


def _rejected(feed: Feed, row: RejectedRow) -> str:
    where = [] if row.record is None else [f"record {row.record}"]
    where += [f"{name}={row.row.get(name)!r}" for name in feed.key if name in row.row]
    why = [reason if text is None else f"{reason}, {text!r}" for reason, text in row.reasons.items()]
    return f"{', '.join(where) or dict(row.row)}: {'; '.join(why)}"


def _effect(effect: Effect) -> str:
    said = {
        "inserted": effect.inserted,
        "updated": effect.updated,
        "deleted": effect.deleted,
        "deleted before they arrived": effect.tombstones,
        "ignored, because the table has newer ones": effect.ignored,
        "repeat a key of the file": effect.repeated,
    }
    return ", ".join(f"{count} {what}" for what, count in said.items() if count) or "nothing changes"


def _price(feed: Feed, price: Price) -> str:
    versions = ", with that of its versions" if feed.history else ""
    by = "as BigQuery says" if price.counted_by == "dry_run" else "by the model of docs/costs.md"
    return (
        f"its MERGE alone{versions}: {_bytes(price.bytes_read)} read, {_bytes(price.bytes_billed)} billed, "
        f"{price.dollars:.4f} $ at the on-demand list price, {by}"
    )


def _bytes(size: float) -> str:
    power = max(n for n in range(len(_UNITS)) if n == 0 or size >= 1024**n)
    return f"{size / 1024**power:.{1 if power else 0}f} {_UNITS[power]}"
