"""The local warehouse, `python -m localcloud.warehouse start …`: bqemulator with some of its functions replaced.

`load_job` reads files as BigQuery does, `json_functions` JSON, `numbers` and `geography` types that DuckDB has not.
`patches` leaves out what costs too much, `translation` translates a statement once for all of its shape (`shapes`),
`threads` gives a statement as many threads as it can use, `transactions` and `entries` commit it with all that is
known of it, `streamed_rows` inserts a few rows as text, `script_jobs` adds what a MERGE inside a script inserted
and updated, `ddl` what a statement changed of a table, `billed_bytes` refuses queries over their bound,
`torn_tables` takes over what an older version wrote, `kept_jobs` bounds what is remembered of jobs, `job_answers`
gives no id to two of them and calls one that fails a failure, and `reopen` opens the database again after an
internal error of DuckDB.
"""

import gc

import uvloop
from bqemulator.cli import main

from localcloud.warehouse import (
    billed_bytes,
    ddl,
    entries,
    geography,
    job_answers,
    json_functions,
    kept_jobs,
    load_job,
    numbers,
    patches,
    reopen,
    script_jobs,
    streamed_rows,
    threads,
    transactions,
    translation,
)

if __name__ == "__main__":
    # Jobs before scripts: both replace the route that lists jobs, and the later one calls the earlier one.
    for part in (
        load_job,
        json_functions,
        numbers,
        geography,
        patches,
        translation,
        threads,
        transactions,
        entries,
        streamed_rows,
        kept_jobs,
        job_answers,
        script_jobs,
        ddl,
        billed_bytes,
        reopen,
    ):
        part.set_up()
    # A statement's tree has many thousand objects, none of them garbage before it is translated; to look for garbage
    # at every 700 of them, as Python does, takes as long as the translation.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    uvloop.install()  # a twentieth less of the time of a small file than with the loop of Python
    main()
