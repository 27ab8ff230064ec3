"""Our Pub/Sub emulator: a small durable Pub/Sub server for one machine. Not for production.

It speaks Pub/Sub's gRPC interface to the ordinary clients; it pushes, backs off, dead-letters and writes to BigQuery
tables as Google's service is documented to, and keeps everything in one SQLite file: what a publish acknowledged
survives the death of the process (not of the machine: the file is not synced on every commit).

Left out, and refused where asked for: ordering, exactly-once delivery, snapshots, retained acknowledged messages,
schemas, exports other than to BigQuery with metadata, unwrapped pushes. Authentication is neither asked for nor sent.
A push subscription that fails again and again pauses for one second at most, where Google pauses for up to sixty.
"""
