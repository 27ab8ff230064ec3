"""Faults as Google documents them."""

from __future__ import annotations

from tests.harness.faults.calls import Error, Fault
from tests.harness.faults.cloud import BUDGET

_CONFLICTS = [
    "Could not serialize access to table main.accounts due to concurrent update",
    "Transaction is aborted due to concurrent update against table main.accounts",
    "Resources exceeded during query execution: Too many DML statements outstanding against table main.accounts",
]

ANYWHERE = [
    Fault("429 rateLimitExceeded", answer=Error(429, "rateLimitExceeded")),
    Fault("500 internalError", answer=Error(500, "internalError")),
    Fault("502 bad gateway", answer=Error(502, "badGateway")),
    Fault("503 backendError", answer=Error(503, "backendError")),
    Fault("504 gateway timeout", answer=Error(504, "gatewayTimeout")),
    Fault("connection reset", reset=True),
    Fault("answer lost", lose_answer=True),
    Fault("answer truncated", truncate=True),
    Fault("answer past the time budget", slow=BUDGET + 1),
]
"""Transient, at any call."""

AT_JOBS = [
    Fault("403 rateLimitExceeded", answer=Error(403, "rateLimitExceeded")),
    Fault("403 jobRateLimitExceeded", answer=Error(403, "jobRateLimitExceeded")),
    Fault("403 quotaExceeded", answer=Error(403, "quotaExceeded")),
    Fault("job failed: backendError", fail_job=Error(503, "backendError")),
    Fault("job failed: jobInternalError", fail_job=Error(400, "jobInternalError")),
    Fault("job failed: jobBackendError", fail_job=Error(400, "jobBackendError")),
]
"""Transient, where a job starts."""

AT_MERGE = [Fault(f"conflict: {text[:26]}…", fail_job=Error(400, "invalidQuery", text)) for text in _CONFLICTS]
AT_MERGE.append(
    Fault(
        "a table is dropped",
        fail_job=Error(400, "invalidQuery", "Query error: Not found: Table local:staging.x was not found at [5:1]"),
    )
)
"""Transient, though BigQuery gives the reason of a syntax error."""

ELSEWHERE = Fault(
    "bucket and dataset in two places",
    fail_job=Error(400, "invalid", "Cannot read and write in different locations: source: EU, destination: US"),
)
"""Permanent, and no fault of the file: BigQuery's word is the one for a malformed file."""

FORGOTTEN = Fault("404 of a job", answer=Error(404, "notFound", "Not found: Job local:US.forgotten"))
"""Transient, where a job's result is asked for: unlike a table, nobody can have left it out."""

ALREADY_THERE = [
    Fault(
        "403 in place of 412",
        lose_answer=True,
        answer=Error(403, "forbidden", "injected does not have storage.objects.delete access"),
    ),
    Fault("403 retentionPolicyNotMet", lose_answer=True, answer=Error(403, "retentionPolicyNotMet")),
]
"""What writing over an object that may not be deleted can be answered with, whatever its precondition."""

PERMANENT = {
    "access_denied": Fault("403 accessDenied", answer=Error(403, "accessDenied", "Access Denied: injected")),
    "refused_by_warehouse": Fault(
        "job failed: resourcesExceeded", fail_job=Error(400, "resourcesExceeded", "Resources exceeded: injected")
    ),
    "not_found": Fault("404 notFound", answer=Error(404, "notFound", "Not found: Dataset local:staging")),
}
"""By the reason that the dead letter carries."""
