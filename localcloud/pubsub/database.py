"""The emulator's SQLite file: schema, one connection, one writer at a time."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# A delivery is one message still owed to one subscription. `available_at` is when it may next be leased:
# now, after a backoff, or (leased = 1) once the lease and the backoff after it have passed.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY, definition BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS subscriptions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, definition BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, published_at REAL NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    message_id INTEGER NOT NULL,
    subscription_id INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    available_at REAL NOT NULL,
    leased INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (message_id, subscription_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (subscription_id, available_at, message_id);
"""


class DataInUseError(Exception):
    """Another process has the file open."""


class Database:
    """One connection behind one lock: an emulator needs no more."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "bus.sqlite"
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, timeout=2, isolation_level=None, check_same_thread=False)
        try:
            self._prepare()
        except sqlite3.OperationalError as error:
            self._connection.close()
            if "locked" in str(error):
                raise DataInUseError(f"{path} is in use by another Pub/Sub emulator") from error
            raise

    def _prepare(self) -> None:
        # Exclusive, so that two emulators cannot lease the same messages. NORMAL survives the death of the
        # process, which is what is promised; FULL would cost a disk sync for every publish and every ack.
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(_SCHEMA)
        # A restart cuts off the clients that held leases: hand those messages out again. Attempts stay counted.
        self._connection.execute("UPDATE deliveries SET available_at = 0, leased = 0 WHERE leased = 1")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Runs the block as one transaction, which is durable when the block ends."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Wait for the transaction under way, then close the file."""
        with self._lock:
            self._connection.close()
