"""What the probe cannot ask, since it needs a service that is deployed: to be done by hand, in this order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    what: str
    commands: tuple[str, ...]
    """`<p>` and `<r>` stand for the project and the region."""
    right: str
    """What to see."""
    finding: int

    def typed(self, project: str, region: str) -> list[str]:
        return [one.replace("<p>", project).replace("<r>", region) for one in self.commands]


_LOGS = "gcloud logging read --project <p> --freshness 1h"

STEPS = (
    Step(
        "A plan after an apply",
        tuple(f"make plan-{root} PROJECT=<p> REGION=<r>" for root in ("foundation", "merge", "ingest")),
        '"No changes" each time. A change that comes back makes every later plan harder to read.',
        30,
    ),
    Step(
        "The pip of the builder",
        (
            "gcloud builds list --project <p> --region <r> --limit 2 --format 'value(id)'",
            "gcloud builds log ID --project <p> --region <r> | grep -i pip",
        ),
        "pip 23.3 or newer; with an older one the requirements' two spellings of a pin are what makes it install.",
        1,
    ),
    Step(
        "A function updated twice",
        (
            "make deploy-ingest PROJECT=<p> REGION=<r>",
            "gcloud functions describe dropmerge-ingest --gen2 --project <p> --region <r> "
            "--format 'value(buildConfig.source.storageSource)'",
        ),
        "After each of two changes of a contract the object is another one: the second update did not build the "
        "source of the first again.",
        17,
    ),
    Step(
        "A plan with one more API (add any to deploy/google/requirements.yaml, and take it out again)",
        ("make plan-foundation PROJECT=<p> REGION=<r>",),
        "One resource to add, none to replace: no agent loses its grant meanwhile.",
        5,
    ),
    Step(
        "An alert",
        (
            r"printf 'wrong\n1\n' > poison.csv",
            "dropmerge drop poison.csv --feed accounts --project <p>",
            "dropmerge dead-letters discard --object '*poison.csv' --why 'first day' --project <p>",
        ),
        'A mail "Dead letters waiting" within ten minutes of the drop, and one that closes it after the discard.',
        8,
    ),
    Step(
        "What a MERGE is billed",
        ("dropmerge history --since 1d --by day --project <p>",),
        "Bytes billed are near those of docs/costs.md for a main table of this size.",
        23,
    ),
    Step(
        "200 pushes at once",
        (
            "mkdir burst",
            "for n in $(seq 200); do python -m generator initial --rows 10 --seed $n --out burst/$n.csv; done",
            "dropmerge drop burst/*.csv --feed accounts --project <p>",
            "dropmerge wait --strict --timeout 900 --project <p>",
            f"{_LOGS} --limit 1000 --format 'value(httpRequest.status)' "
            "'resource.type=\"cloud_run_revision\" AND httpRequest.status>=200' | sort | uniq -c",
        ),
        "All merged, no dead letter. Count the 429 and 503 of each service, and how long it took.",
        7,
    ),
    Step(
        "A push that is held (deploy a feed `paced` with `merge_every: 5m` beside accounts)",
        (
            "dropmerge drop burst/1.csv --feed paced --project <p>",
            "dropmerge drop burst/2.csv --feed accounts --wait --timeout 120 --project <p>",
        ),
        "The second file is merged while the first one waits. Otherwise Pub/Sub pushes fewer messages at once than "
        "merge expects: leave `merge_every` out until that is known.",
        7,
    ),
    Step(
        "The severity of a 503 that the service answers",
        (f"{_LOGS} --limit 5 --format json 'resource.type=\"cloud_run_revision\" AND httpRequest.status=503'",),
        'If it is ERROR, the alert "Crash" must leave request logs out.',
        8,
    ),
)


def lines(project: str, region: str) -> list[str]:
    """The steps as a checklist."""
    found = ["By hand, once the services are deployed:"]
    for step in STEPS:
        found += [f"  [ ] {step.what}", *(f"        {one}" for one in step.typed(project, region))]
        found += [f"      {step.right}"]
    return found
