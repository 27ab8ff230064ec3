"""A small model of merges that run at once, and a search through every way in which their steps can interleave.

The local warehouse runs one transaction after the other. BigQuery does not: a transaction reads a snapshot taken at
its start; two that change the same row cannot both commit; rows that are only inserted, by INSERT or by a MERGE that
matches nothing, conflict with nobody, and keys are not enforced. The model knows no more than that: conflicts are
by row, the weakest reading, and are found at the commit, the latest moment. What holds here holds where BigQuery
is stricter.

A process does the steps of `services/merge` in their order, one delivery at a time (within a process, merges into a
main table take turns). It may crash between any two of them: its message is delivered again, what it remembered is
gone, and a transaction that it had sent goes on without it, as jobs do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

Row = tuple[str, int, str]
"""Key, version, load."""

LOCK = ("lock", "")


@dataclass(frozen=True)
class Rules:
    """What is merged, and which of the service's precautions are taken."""

    loads: Mapping[str, tuple[tuple[str, int], ...]]
    """Key and version of each row, by load."""
    deliveries: tuple[str, ...]
    """The staged messages, by load; one named twice is delivered twice."""
    processes: int = 2
    crashes: int = 0
    restages: tuple[str, ...] = ()
    """Loads whose notification is repeated: ingest makes the staging table again, and sends another message."""
    lock: bool = True
    """Each merge updates the row of its main table's lock."""
    ledger_checks: bool = True
    """The ledger's INSERT leaves out what its snapshot holds."""
    missing_table_is_final: bool = False
    """A staging table that is gone by the time of the MERGE ends in a dead letter, not in another look."""


@dataclass(frozen=True)
class Transaction:
    at: str
    """The statement that comes next: lock, merge, ledger or commit."""
    group: tuple[str, ...]
    main: frozenset[tuple[Row, int]]
    ledger: frozenset[tuple[str, int]]
    changed: frozenset[tuple[str, str]] = frozenset()
    """Rows that it updates, as (table, key)."""
    changed_since: frozenset[tuple[str, str]] = frozenset()
    """Rows that others have updated, committed since its snapshot."""
    removes: frozenset[Row] = frozenset()
    adds: frozenset[Row] = frozenset()
    records: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Process:
    at: str = "idle"
    load: str = ""
    """Whose message it works on."""
    waiting: tuple[str, ...] = ()
    drops: tuple[str, ...] = ()
    """Staging tables that it is about to drop."""
    recent: frozenset[str] = frozenset()
    transaction: Transaction | None = None


@dataclass(frozen=True)
class World:
    pending: tuple[str, ...]
    """Messages not acknowledged and in nobody's hands."""
    staging: frozenset[str]
    processes: tuple[Process, ...]
    crashes: int
    restages: tuple[str, ...]
    main: frozenset[tuple[Row, int]] = frozenset()
    """A bag: each row with how often it is there."""
    ledger: frozenset[tuple[str, int]] = frozenset()
    dead: frozenset[tuple[str, str]] = frozenset()
    """Dead letters: load and reason."""
    orphans: tuple[Transaction, ...] = ()
    """Transactions whose process has crashed."""


Moves = Iterator[tuple[str, World]]


def start(rules: Rules) -> World:
    return World(
        pending=tuple(sorted(rules.deliveries)),
        staging=frozenset(rules.deliveries),
        processes=(Process(),) * rules.processes,
        crashes=rules.crashes,
        restages=rules.restages,
    )


@dataclass(frozen=True)
class Findings:
    what: str
    trace: tuple[str, ...]
    """The steps that lead there."""


@dataclass(frozen=True)
class Explored:
    worlds: int
    ends: int
    faults: Mapping[str, Findings]
    """The first way found to each kind of fault."""


def explore(rules: Rules, first: World | None = None) -> Explored:
    """Look at every world that can be reached from `first`, or from the start."""
    first = first or start(rules)
    came_from: dict[World, tuple[str, World] | None] = {first: None}
    stack, ends = [first], 0
    faults: dict[str, Findings] = {}
    while stack:
        world = stack.pop()
        moves = list(_moves(world, rules))
        found = set(_faults(world))
        if not moves:
            ends += 1
            found |= set(_faults_at_the_end(world, rules))
        for fault in found - set(faults):
            faults[fault] = Findings(fault, _trace(world, came_from))
        for label, after in moves:
            if after not in came_from:
                came_from[after] = (label, world)
                stack.append(after)
    return Explored(len(came_from), ends, faults)


def _trace(world: World, came_from: Mapping[World, tuple[str, World] | None]) -> tuple[str, ...]:
    labels: list[str] = []
    while step := came_from[world]:
        labels.append(step[0])
        world = step[1]
    return tuple(reversed(labels))


def _faults(world: World) -> Iterator[str]:
    keys = [row[0] for row, count in world.main for _ in range(count)]
    if len(set(keys)) < len(keys):
        yield "a key is there twice"
    if any(count > 1 for _, count in world.ledger):
        yield "a load is in the ledger twice"


def _faults_at_the_end(world: World, rules: Rules) -> Iterator[str]:
    if world.dead:
        yield "a dead letter for nothing"
    if {load for load, _ in world.ledger} != set(rules.loads):
        yield "a load is lost"
    if world.staging:
        yield "a staging table is left"
    if {row[:2] for row, _ in world.main} != {row[:2] for row in _winners(rules.loads, rules)}:
        yield "an older row has won"


def _winners(loads: Mapping[str, object] | tuple[str, ...], rules: Rules) -> set[Row]:
    rows = [(key, version, load) for load in loads for key, version in rules.loads[load]]
    return {max((row for row in rows if row[0] == key), key=_rank) for key, _, _ in rows}


def _rank(row: Row) -> tuple[int, str]:
    return row[1:]


def _moves(world: World, rules: Rules) -> Moves:
    for load in sorted(set(world.restages)):
        left = _without(world.restages, load)
        yield (
            f"ingest stages {load} again",
            replace(world, restages=left, staging=world.staging | {load}, pending=_with(world.pending, load)),
        )
    for n, orphan in enumerate(world.orphans):
        others = world.orphans[:n] + world.orphans[n + 1 :]
        for label, after, going_on in _transact(replace(world, orphans=others), orphan, rules):
            rest_of_it = (going_on,) if going_on else ()
            yield f"orphan: {label}", replace(after, orphans=after.orphans + rest_of_it)
    for n, process in enumerate(world.processes):
        if process in world.processes[:n]:
            continue  # two in the same state are one as good as the other
        for label, after, moved in _work(world, process, rules):
            processes = (*after.processes[:n], moved, *after.processes[n + 1 :])
            yield f"{n}: {label}", replace(after, processes=processes)
        if world.crashes and process.at != "idle":
            rest = (*world.processes[:n], Process(), *world.processes[n + 1 :])
            yield (
                f"{n}: crashes",
                replace(
                    world,
                    crashes=world.crashes - 1,
                    processes=rest,
                    pending=_with(world.pending, process.load),
                    orphans=world.orphans + ((process.transaction,) if process.transaction else ()),
                ),
            )


def _with(messages: tuple[str, ...], load: str) -> tuple[str, ...]:
    return tuple(sorted([*messages, load]))


def _without(messages: tuple[str, ...], load: str) -> tuple[str, ...]:
    at = messages.index(load)
    return messages[:at] + messages[at + 1 :]


_Worked = Iterator[tuple[str, World, Process]]


def _work(world: World, process: Process, rules: Rules) -> _Worked:
    """The next step of `Merger._merge`."""
    load, done = process.load, Process(recent=process.recent)
    match process.at:
        case "idle":
            for message in sorted(set(world.pending)):
                taken = replace(world, pending=_without(world.pending, message))
                yield f"takes {message}", taken, replace(process, at="look", load=message)
        case "look":
            if load in process.recent and load not in world.staging:
                yield f"knows {load}, acknowledges", world, done
            else:
                waiting = tuple(sorted(world.staging))
                yield f"lists {' '.join(waiting)}", world, replace(process, at="ledger", waiting=waiting)
        case "ledger":
            recorded = {one for one, _ in world.ledger}
            applied = tuple(one for one in sorted({load, *process.waiting}) if one in recorded)
            waiting = tuple(one for one in process.waiting if one not in recorded)
            moved = replace(process, at="tidy", waiting=waiting, drops=applied)
            yield f"reads the ledger: {' '.join(applied) or 'none'} applied", world, moved
        case "tidy" if process.drops:
            yield _drop(world, process)
        case "tidy":
            if load in process.recent and load not in process.waiting:
                yield f"{load} is applied, acknowledges", world, done
            elif load not in process.waiting:
                dead = replace(world, dead=world.dead | {(load, "staging_missing")})
                yield f"dead-letters {load}: staging_missing", dead, done
            else:
                transaction = Transaction("lock", process.waiting, world.main, world.ledger)
                moved = replace(process, at="transaction", waiting=(), transaction=transaction)
                yield f"begins with {' '.join(transaction.group)}", world, moved
        case "transaction":
            assert process.transaction is not None
            group = process.transaction.group
            for label, after, going_on in _transact(world, process.transaction, rules):
                if going_on:
                    yield label, after, replace(process, transaction=going_on)
                elif label == "commits":
                    yield label, after, replace(process, at="finish", drops=group, transaction=None)
                elif label == "misses a table" and rules.missing_table_is_final:
                    dead = replace(after, dead=after.dead | {(load, "not_found")})
                    yield f"dead-letters {load}: not_found", dead, done
                else:
                    yield f"{label}, looks again", after, Process("look", load, recent=process.recent)
        case "finish" if process.drops:
            yield _drop(world, process)
        case "finish":
            yield f"acknowledges {load}", world, done


def _drop(world: World, process: Process) -> tuple[str, World, Process]:
    table, *rest = process.drops
    moved = replace(process, drops=tuple(rest), recent=process.recent | {table})
    return f"drops the staging of {table}", replace(world, staging=world.staging - {table}), moved


def _transact(world: World, transaction: Transaction, rules: Rules) -> Iterator[tuple[str, World, Transaction | None]]:
    """The next statement of merge.sql. None for the transaction: it is over, committed or not."""
    match transaction.at:
        case "lock":
            changed = transaction.changed | {LOCK} if rules.lock else transaction.changed
            yield "locks", world, replace(transaction, at="merge", changed=changed)
        case "merge" if not world.staging.issuperset(transaction.group):
            yield "misses a table", world, None
        case "merge":
            yield "merges", world, _merge(transaction, rules)
        case "ledger":
            known = {load for load, _ in transaction.ledger} if rules.ledger_checks else set()
            records = frozenset(transaction.group) - known
            yield "records", world, replace(transaction, at="commit", records=records)
        case "commit" if transaction.changed & transaction.changed_since:
            yield "is aborted due to concurrent update", world, None
        case "commit":
            yield "commits", _commit(world, transaction), None


def _merge(transaction: Transaction, rules: Rules) -> Transaction:
    there = {row[0]: row for row, _ in transaction.main}
    removes, adds = set(), set()
    for row in _winners(transaction.group, rules):
        old = there.get(row[0])
        if old is None:
            adds.add(row)
        elif _rank(row) > _rank(old):
            removes.add(old)
            adds.add(row)
    return replace(
        transaction,
        at="ledger",
        changed=transaction.changed | {("main", row[0]) for row in removes},
        removes=frozenset(removes),
        adds=frozenset(adds),
    )


def _commit(world: World, transaction: Transaction) -> World:
    def told(other: Transaction | None) -> Transaction | None:
        if other is None or other is transaction:
            return other
        return replace(other, changed_since=other.changed_since | transaction.changed)

    main, ledger = dict(world.main), dict(world.ledger)
    for row in transaction.removes:
        main.pop(row, None)
    for row in transaction.adds:
        main[row] = main.get(row, 0) + 1
    for load in transaction.records:
        ledger[load] = ledger.get(load, 0) + 1
    return replace(
        world,
        main=frozenset(main.items()),
        ledger=frozenset(ledger.items()),
        processes=tuple(replace(p, transaction=told(p.transaction)) for p in world.processes),
        orphans=tuple(o for o in map(told, world.orphans) if o),
    )
