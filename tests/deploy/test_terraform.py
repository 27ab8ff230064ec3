"""The Terraform files grant, keep and watch what they must, in agreement with the topology and the settings."""

from __future__ import annotations

import inspect
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
from functions_framework._http import gunicorn

from deploy import topology
from deploy.google import rollout
from deploy.topology import ROOT
from services.shared.contract.files import PATTERNS
from services.shared.datasets import OPS, STAGING
from services.shared.settings import Settings
from services.shared.tables import table
from tests.deploy import hcl

TOPOLOGY = topology.read()
PUSHED = [name for name, one in TOPOLOGY.subscriptions.items() if "push_to" in one]
KEPT = [name for name, one in TOPOLOGY.subscriptions.items() if "to_table" in one]
PULLED = [name for name in TOPOLOGY.subscriptions if name not in (*PUSHED, *KEPT)]

# Role: the types of resource through which it may be granted.
ALLOWED_ROLES = {
    "roles/artifactregistry.writer": {"google_artifact_registry_repository_iam_member"},
    "roles/bigquery.dataEditor": {"google_bigquery_dataset_iam_member", "google_bigquery_table_iam_member"},
    "roles/bigquery.dataViewer": {"google_bigquery_dataset_iam_member"},
    "roles/bigquery.jobUser": {"google_project_iam_member"},
    "roles/iam.serviceAccountTokenCreator": {"google_service_account_iam_member"},
    "roles/iap.httpsResourceAccessor": {"google_iap_web_cloud_run_service_iam_binding"},
    "roles/logging.logWriter": {"google_project_iam_member"},
    "roles/monitoring.viewer": {"google_project_iam_member"},
    "roles/pubsub.publisher": {"google_pubsub_topic_iam_member"},
    "roles/pubsub.subscriber": {"google_pubsub_subscription_iam_member"},
    "roles/run.invoker": {"google_cloud_run_v2_service_iam_binding"},
    "roles/run.jobsExecutorWithOverrides": {"google_cloud_run_v2_job_iam_member"},
    "roles/storage.legacyBucketReader": {"google_storage_bucket_iam_member"},
    "roles/storage.objectCreator": {"google_storage_bucket_iam_member"},
    "roles/storage.objectViewer": {"google_storage_bucket_iam_member", "google_project_iam_member"},
}


def one(kind: str, name: str) -> hcl.Resource:
    (found,) = [resource for resource in hcl.resources(kind) if resource.name == name]
    return found


def test_every_file_that_terraform_reads_exists() -> None:
    """Terraform evaluates `file` when it plans, so that a renamed file would be noticed in a deployment only."""
    read = [
        (path, name)
        for path in (ROOT / "deploy" / "google").rglob("*.tf")
        for name in re.findall(r'"\$\{path\.module\}/([^"$]+)"', path.read_text(encoding="utf-8"))
    ]
    assert len(read) > 3
    assert [f"{path}: {name}" for path, name in read if not (path.parent / name).exists()] == []


def test_terraform_reads_the_contracts_that_the_services_read() -> None:
    """The datasets of main tables come from them."""
    patterns = [
        pattern
        for path in (ROOT / "deploy" / "google").rglob("*.tf")
        for pattern in re.findall(r'fileset\("[^"]+/feeds", "([^"]+)"\)', path.read_text(encoding="utf-8"))
    ]
    assert patterns == ["*.{yaml,yml}"]
    assert PATTERNS == "*.yaml, *.yml"


def test_both_services_are_the_module_with_their_own_name() -> None:
    """Both use one module, so that what is proved of the module is proved of both."""
    for service in TOPOLOGY.services:
        module = hcl.blocks(service, "module")["service"]
        assert module["source"] == "../modules/service"
        assert module["service"] == service
        assert module["topology"] == '${yamldecode(file("${path.module}/../../topology.yaml"))}'
        for name in ("project", "project_number", "region", "dataset_location", "kms_key", "bundle"):
            assert module[name] == f"${{var.{name}}}"
        account = one("google_service_account", service).body["account_id"]
        config = one("google_cloudfunctions2_function", "function").block("service_config")
        email = config["service_account_email"].replace("${var.service}", service)
        assert email == f"{account}@${{var.project}}.iam.gserviceaccount.com"


def test_every_push_subscription_is_the_topology_s_and_has_a_dead_letter_policy() -> None:
    """Deadline, retries, attempts and topics are read, never written again."""
    pushes = [r for r in hcl.resources("google_pubsub_subscription") if "push_config" in r.body]
    (push,) = pushes
    assert push.folder == "modules/service"
    assert {TOPOLOGY.subscriptions[name]["push_to"] for name in PUSHED} == set(TOPOLOGY.services) == set(PUSHED)
    assert hcl.local_values("modules/service")["subscription"] == "${var.topology.subscriptions[var.service]}"
    assert push.body["name"] == "${local.name}"
    assert push.body["topic"].endswith("/topics/${local.prefix}${local.subscription.topic}")
    assert push.body["ack_deadline_seconds"] == "${local.subscription.ack_deadline_seconds}"
    policy = push.block("dead_letter_policy")
    assert policy["dead_letter_topic"].endswith("/topics/${local.prefix}${local.subscription.dead_letter.topic}")
    assert policy["max_delivery_attempts"] == "${local.subscription.dead_letter.max_delivery_attempts}"
    assert push.block("retry_policy") == {
        "minimum_backoff": "${local.subscription.retry.minimum_backoff_seconds}s",
        "maximum_backoff": "${local.subscription.retry.maximum_backoff_seconds}s",
    }
    assert push.block("expiration_policy") == {"ttl": ""}
    for name in PUSHED:
        subscription = TOPOLOGY.subscriptions[name]
        assert subscription["ack_deadline_seconds"] == 600
        assert 5 <= subscription["dead_letter"]["max_delivery_attempts"] <= 100
        assert subscription["retry"]["maximum_backoff_seconds"] <= 600


def test_pubsub_s_agent_has_both_grants_that_forwarding_needs() -> None:
    """Without one of them Pub/Sub does not even count attempts."""
    publisher = one("google_pubsub_topic_iam_member", "pubsub_forwards")
    assert publisher.folder == "foundation"
    assert publisher.body["for_each"] == "${toset([for one in local.pushed : one.dead_letter.topic])}"
    assert publisher.body["topic"] == "${google_pubsub_topic.topic[each.key].id}"
    assert publisher.body["role"] == "roles/pubsub.publisher"
    assert publisher.body["member"] == "${google_project_service_identity.pubsub.member}"
    assert one("google_project_service_identity", "pubsub").body["service"] == "pubsub.googleapis.com"
    subscriber = one("google_pubsub_subscription_iam_member", "pubsub_forwards")
    assert subscriber.folder == "modules/service"
    assert subscriber.body["subscription"] == "${google_pubsub_subscription.push.name}"
    assert subscriber.body["role"] == "roles/pubsub.subscriber"
    assert subscriber.body["member"] == "${local.pubsub_agent}"
    agent = hcl.local_values("modules/service")["pubsub_agent"]
    assert agent == "serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"


def test_every_dead_letter_topic_has_a_subscription_that_never_expires() -> None:
    """The subscription keeps its dead letters for as long as Pub/Sub can."""
    for name in PUSHED:
        dead_letters = TOPOLOGY.subscriptions[name]["dead_letter"]["topic"]
        waiting = [s for s in PULLED if TOPOLOGY.subscriptions[s]["topic"] == dead_letters]
        assert waiting, f"{dead_letters} would lose its messages"
        assert all(TOPOLOGY.subscriptions[s]["retention_seconds"] == 31 * 86400 for s in waiting)
    waiting_too = one("google_pubsub_subscription", "waiting")
    assert waiting_too.body["for_each"] == "${local.pulled}"
    assert waiting_too.body["name"] == "${local.prefix}${each.key}"
    assert waiting_too.block("expiration_policy") == {"ttl": ""}
    assert one("google_pubsub_topic", "topic").body["for_each"] == "${local.topology.topics}"


def test_every_dead_letter_topic_is_written_to_the_table_that_pubsub_may_write_to() -> None:
    """Its rows outlive what waits, and Pub/Sub's agent may write to that one table only."""
    topics = {TOPOLOGY.subscriptions[name]["dead_letter"]["topic"] for name in PUSHED}
    assert {TOPOLOGY.subscriptions[name]["topic"] for name in KEPT} == topics
    assert {TOPOLOGY.subscriptions[name]["to_table"] for name in KEPT} == {f"{OPS}.dead_letter_messages"}
    kept = one("google_pubsub_subscription", "kept")
    assert (kept.folder, kept.body["for_each"]) == ("foundation", "${local.kept}")
    config = {"table": "${var.project}.${each.value.to_table}", "write_metadata": True}
    assert kept.block("bigquery_config") == config
    assert kept.block("expiration_policy") == {"ttl": ""}
    grant = one("google_bigquery_table_iam_member", "pubsub_writes")
    assert kept.body["depends_on"] == ["${google_bigquery_table_iam_member.pubsub_writes}"]
    assert grant.body["table_id"] == "${google_bigquery_table.dead_letter_messages.table_id}"
    assert grant.body["member"] == "${google_project_service_identity.pubsub.member}"
    days = table("p", "dead_letter_messages").time_partitioning.expiration_ms / 86_400_000
    assert days > max(TOPOLOGY.subscriptions[name]["retention_seconds"] for name in PULLED) / 86400


def test_staging_and_overwritten_files_outlive_dead_letters() -> None:
    """A dead letter that is replayed on its last day still finds the table or file that it names."""
    longest = max(TOPOLOGY.subscriptions[name]["retention_seconds"] for name in PULLED) / 86400
    assert TOPOLOGY.datasets["staging"]["table_expiration_days"] > longest
    assert TOPOLOGY.buckets["landing"]["keep_overwritten_days"] > longest
    assert TOPOLOGY.buckets["archive"]["retention_days"] > longest


def test_the_landing_bucket_is_emptied_after_every_other_trace_of_a_file() -> None:
    """A file is in the bucket for as long as its dead letter waits and its pinned copy cannot be deleted."""
    longest = max(TOPOLOGY.subscriptions[name]["retention_seconds"] for name in PULLED) / 86400
    landing, archive = TOPOLOGY.buckets["landing"], TOPOLOGY.buckets["archive"]
    assert landing["keep_days"] > max(longest, landing["keep_overwritten_days"], archive["retention_days"])
    rules = one("google_storage_bucket", "landing").body["lifecycle_rule"]
    deletes = [rule["condition"][0] for rule in rules if rule["action"] == [{"type": "Delete"}]]
    assert {"age": "${local.topology.buckets.landing.keep_days}", "with_state": "LIVE"} in deletes


def test_no_member_has_a_role_outside_the_allowed_list() -> None:
    """G8: no member holds a role on more than it needs, and no role is given to everybody."""
    grants = [r for r in hcl.resources() if re.search(r"_iam_(member|binding|policy)$", r.kind)]
    assert len(grants) > 15
    for grant in grants:
        assert grant.kind in ALLOWED_ROLES.get(grant.body.get("role", ""), set()), grant.address
        members = [grant.body["member"]] if "member" in grant.body else grant.body["members"]
        assert not any("allUsers" in m or "allAuthenticatedUsers" in m for m in members), grant.address
    (everywhere,) = [g for g in grants if g.kind == "google_project_iam_member" and "storage" in g.body["role"]]
    assert everywhere.body["member"] == "${google_service_account.build.member}"
    assert "gcf-v2-sources-" in everywhere.block("condition")["expression"]


_PLACES = ("bucket", "dataset_id", "table_id", "topic", "subscription", "project")


def granted(service: str) -> dict[str, set[str]]:
    """What a service's own identity may do: role to the places."""
    member = f"${{google_service_account.{service}.member}}"
    found: dict[str, set[str]] = {}
    for grant in hcl.resources():
        if grant.body.get("member") == member:
            places = [grant.body.get(key) for key in _PLACES]
            each = str(grant.body.get("for_each", ""))
            text = " ".join(str(place) for place in places if place)
            found.setdefault(grant.body["role"], set()).add(f"{text} {each}".strip())
    return found


def test_ingest_may_not_touch_the_ledger_or_main_tables() -> None:
    """G8: it edits staging, and two tables of ops; it creates in the archive and nowhere else."""
    ingest = granted("ingest")
    assert set(ingest) == {
        "roles/storage.objectViewer",
        "roles/storage.legacyBucketReader",
        "roles/storage.objectCreator",
        "roles/bigquery.dataEditor",
        "roles/bigquery.jobUser",
        "roles/pubsub.publisher",
    }
    assert ingest["roles/storage.objectCreator"] == {"${google_storage_bucket.archive.name}"}
    tables = {name: f"${{google_bigquery_table.{name}.table_id}}" for name in ("journal", "rejected_rows")}
    assert sorted(ingest["roles/bigquery.dataEditor"]) == [
        f'${{google_bigquery_dataset.dataset["ops"].dataset_id}} ${{each.value}} {tables}',
        '${google_bigquery_dataset.dataset["staging"].dataset_id}',
    ]
    assert ingest["roles/pubsub.publisher"] == {
        "${google_pubsub_topic.topic[each.key].id} ${toset([local.topology.subscriptions.merge.topic, "
        "local.topology.subscriptions.ingest.dead_letter.topic])}"
    }


def test_merge_may_not_touch_a_bucket_nor_publish_staged_messages() -> None:
    """G8: it edits datasets, and publishes its own dead letters and requests to read a file anew."""
    merge = granted("merge")
    assert set(merge) == {"roles/bigquery.dataEditor", "roles/bigquery.jobUser", "roles/pubsub.publisher"}
    assert merge["roles/pubsub.publisher"] == {
        "${google_pubsub_topic.topic[each.key].id} ${toset([local.topology.subscriptions.merge.dead_letter.topic, "
        "local.topology.subscriptions.ingest.topic])}"
    }


def test_all_grants_on_datasets_are_in_the_root_of_the_datasets() -> None:
    """The provider reads a dataset's list of grants and writes it back without an etag: of two roots that do so at
    once, one loses its grant (https://github.com/hashicorp/terraform-provider-google, iam_bigquery_dataset.go)."""
    grants = [r for r in hcl.resources() if re.match(r"google_bigquery_(dataset|table)_(iam_|access)", r.kind)]
    assert len(grants) >= 4
    assert {grant.folder for grant in grants} == {one("google_bigquery_dataset", "dataset").folder} == {"foundation"}
    assert all("google_bigquery_" in grant.body["dataset_id"] for grant in grants), "each follows its dataset"


def test_nothing_that_is_asked_for_depends_on_a_resource() -> None:
    """A `data` block below a depends_on is read while Terraform applies: until then its answer is unknown, and grants
    that are made of it are destroyed and made again."""
    for folder in hcl.FOLDERS:
        asked = [one for file in hcl.files(folder) for one in file.get("data", [])]
        for blocks in (named for kinds in asked for named in kinds.values()):
            assert all("depends_on" not in block for block in blocks.values()), folder
        for name, module in hcl.blocks(folder, "module").items():
            assert "depends_on" not in module, f"{folder}: module {name}"


def test_what_waits_in_a_subscription_cannot_be_lost_to_a_plan() -> None:
    """Nor a week of what a topic had, to a subscription that was made anew: it can be set back."""
    for subscription in hcl.resources("google_pubsub_subscription"):
        assert subscription.block("lifecycle") == {"prevent_destroy": True}, subscription.address
    topic = one("google_pubsub_topic", "topic").body
    assert topic["message_retention_duration"] == '${try(format("%ds", each.value.retention_seconds), null)}'
    for service in TOPOLOGY.services:
        source = TOPOLOGY.topics[TOPOLOGY.source_topic(service)]
        pushed = TOPOLOGY.subscriptions[TOPOLOGY.push_subscription(service)]
        assert source["retention_seconds"] == pushed["retention_seconds"] == 7 * 86400


def test_data_stay_where_they_are_told_to_under_the_key_that_is_given() -> None:
    """Each kind of thing that keeps data has the key, and each that may keep them elsewhere has a place."""
    key = "${one(local.kms_keys)}"
    assert one("google_pubsub_topic", "topic").body["kms_key_name"] == key
    assert one("google_artifact_registry_repository", "images").body["kms_key_name"] == key
    for kind, block in (
        ("google_storage_bucket", "encryption"),
        ("google_bigquery_dataset", "default_encryption_configuration"),
        ("google_bigquery_table", "encryption_configuration"),
    ):
        for resource in hcl.resources(kind):
            (dynamic,) = [one[block] for one in resource.body["dynamic"] if block in one]
            assert dynamic["for_each"] == "${local.kms_keys}", resource.address
    function = one("google_cloudfunctions2_function", "function").body
    assert function["kms_key_name"] == '${var.kms_key == "" ? null : var.kms_key}'
    stored = one("google_pubsub_topic", "topic").block("message_storage_policy")["allowed_persistence_regions"]
    assert stored == "${length(var.message_regions) == 0 ? [var.region] : var.message_regions}"


def test_services_ask_where_the_datasets_are() -> None:
    """A query in another location finds nothing."""
    where = '${var.dataset_location == "" ? var.region : var.dataset_location}'
    dataset = one("google_bigquery_dataset", "dataset").body
    assert (dataset["location"], dataset["storage_billing_model"]) == (where, "LOGICAL")
    told = one("google_cloudfunctions2_function", "function").block("service_config")["environment_variables"]
    assert told["DROPMERGE_LOCATION"] == where


def test_a_function_is_built_of_this_bundle_on_the_python_that_its_requirements_are_for() -> None:
    """Of the generation too: otherwise Google is sent that of its own copy of the bundle before."""
    build = one("google_cloudfunctions2_function", "function").block("build_config")
    assert build["runtime"] == 'python${replace(var.topology.python, ".", "")}'
    bundle = "google_storage_bucket_object.bundle"
    source = {name: f"${{{bundle}.{name}}}" for name in ("bucket", "generation")}
    assert build["source"][0]["storage_source"] == [{**source, "object": f"${{{bundle}.name}}"}]
    with (ROOT / "pyproject.toml").open("rb") as file:
        assert tomllib.load(file)["project"]["requires-python"] == f">={TOPOLOGY.python}"


def test_providers_leave_the_grants_of_a_dataset_alone() -> None:
    """Before 7.45 an update of a dataset put back the list of grants that it had when the plan was made."""
    for folder in hcl.FOLDERS:
        (terraform,) = [one for file in hcl.files(folder) for one in file.get("terraform", [])]
        for provider in terraform["required_providers"][0].values():
            assert provider["version"] == "~> 7.45"


def test_only_push_may_call_a_function() -> None:
    """Functions are closed at the network and by identity; the push token is for this function."""
    config = one("google_cloudfunctions2_function", "function").block("service_config")
    assert config["ingress_settings"] == "ALLOW_INTERNAL_ONLY"
    invoker = one("google_cloud_run_v2_service_iam_binding", "only_push_invokes")
    assert invoker.body["members"] == ["${google_service_account.push.member}"]
    push = one("google_pubsub_subscription", "push")
    token = push.block("push_config", "oidc_token")
    assert token["service_account_email"] == "${google_service_account.push.email}"
    assert token["audience"] == push.block("push_config")["push_endpoint"]
    assert token["audience"].endswith(".service_config[0].uri}")


def test_a_function_takes_as_many_requests_as_its_server_has_threads() -> None:
    """Each request has the whole push deadline."""
    config = one("google_cloudfunctions2_function", "function").block("service_config")
    assert config["max_instance_request_concurrency"] == config["environment_variables"]["THREADS"]
    assert config["max_instance_request_concurrency"] == "${local.settings.threads}"
    assert config["max_instance_count"] == "${local.settings.instances}"
    assert config["timeout_seconds"] == "${local.subscription.ack_deadline_seconds}"
    assert 'environ.get("THREADS"' in inspect.getsource(gunicorn)
    for settings in TOPOLOGY.services.values():
        assert 1 <= settings["threads"] <= 1000
        assert float(settings["cpu"]) >= 1
    assert TOPOLOGY.services["merge"]["instances"] <= 5


def test_a_function_is_told_every_setting_and_nothing_else() -> None:
    """Terraform sets each variable of services/shared/settings.py; beside them only what the server reads."""
    told = one("google_cloudfunctions2_function", "function").block("service_config")["environment_variables"]
    known = {
        str(field.validation_alias or f"DROPMERGE_{name.upper()}") for name, field in Settings.model_fields.items()
    }
    assert set(told) == known | {"THREADS", "LOG_EXECUTION_ID"}
    assert told["DROPMERGE_PATIENCE_SECONDS"] == Settings.model_fields["patience_seconds"].default
    assert told["LOG_EXECUTION_ID"] == "false", "the framework would put Cloud Run's span in the place of ours"


def test_names_that_others_may_have_in_a_project_have_the_prefix() -> None:
    """The commands ask for the same names: tests/deploy/test_topology.py."""
    for folder, locals_prefix in (
        ("foundation", "${local.topology.name_prefix}"),
        ("modules/service", "${var.topology.name_prefix}"),
    ):
        assert hcl.local_values(folder)["prefix"] == locals_prefix
    assert hcl.local_values("modules/service")["name"] == "${local.prefix}${var.service}"
    named = hcl.resources("google_pubsub_topic", "google_pubsub_subscription", "google_cloudfunctions2_function")
    assert {one.body["name"] for one in named} == {"${local.prefix}${each.key}", "${local.name}"}
    for account in hcl.resources("google_service_account"):
        assert account.body["account_id"].startswith("dropmerge-")


def test_settings_that_name_things_name_what_the_foundation_makes() -> None:
    """Buckets are named by their rule, datasets and topics by the topology."""
    told = one("google_cloudfunctions2_function", "function").block("service_config")["environment_variables"]
    made = {r.body["name"] for r in hcl.resources("google_storage_bucket")}
    assert told["DROPMERGE_ARCHIVE_BUCKET"] in made
    assert {STAGING, OPS} <= set(TOPOLOGY.datasets)
    assert told["DROPMERGE_ARRIVED_TOPIC"] == "${local.prefix}${var.topology.subscriptions.ingest.topic}"
    assert told["DROPMERGE_STAGED_TOPIC"] == "${local.prefix}${var.topology.subscriptions.merge.topic}"
    assert told["DROPMERGE_DEAD_LETTER_TOPIC"] == "${local.prefix}${local.subscription.dead_letter.topic}"


def test_buckets_are_private_and_the_landing_bucket_notifies_of_what_arrives() -> None:
    """Access is uniform and never public, and notifications are for the events that ingest reads."""
    buckets = hcl.resources("google_storage_bucket")
    for bucket in buckets:
        assert bucket.body["uniform_bucket_level_access"] is True
        assert bucket.body["public_access_prevention"] == "enforced"
        assert bucket.body.get("force_destroy", False) is False
    assert one("google_storage_bucket", "landing").block("versioning") == {"enabled": True}
    assert "retention_policy" in one("google_storage_bucket", "archive").body
    notification = one("google_storage_notification", "arrivals").body
    assert (notification["event_types"], notification["payload_format"]) == (["OBJECT_FINALIZE"], "JSON_API_V1")
    assert notification["depends_on"] == ["${google_pubsub_topic_iam_member.storage_publishes}"]


def test_each_root_keeps_its_own_state_and_shares_no_resource() -> None:
    """A root reads nothing of another's state: names only."""
    for root in rollout.ROOTS:
        assert any("gcs" in one["backend"][0] for file in hcl.files(root) for one in file.get("terraform", []))
        text = "".join(path.read_text() for path in hcl.path_of(root).glob("*.tf"))
        assert "terraform_remote_state" not in text
    for service, other in (("ingest", "merge"), ("merge", "ingest")):
        assert not [r for r in hcl.resources() if r.folder == service and r.name == other]


@pytest.mark.parametrize("name", ["dead_letter_messages", "journal", "rejected_rows"])
def test_a_table_is_made_from_the_file_that_the_services_read(name: str) -> None:
    """One shape, partitioned and clustered alike, however it came to be."""
    made = one("google_bigquery_table", name).body
    tables = str(hcl.local_values("foundation")["tables"])
    assert f'"{name}"' in tables
    assert "jsondecode(file(" in tables
    assert "/../../../services/shared/tables/${name}.json" in tables
    assert made["schema"] == f"${{jsonencode(local.tables.{name}.schema)}}"
    assert made["clustering"] == f"${{local.tables.{name}.clustering}}"
    ours = table("p", name)
    assert (made["table_id"], ours.dataset_id) == (ours.table_id, OPS)
    assert made.get("time_partitioning", []) == ([_partitions(name, ours)] if ours.time_partitioning else [])


def _partitions(name: str, ours: Any) -> dict[str, str]:
    kept = {"expiration_ms": f"${{local.tables.{name}.keep_days * 86400000}}"}
    return {
        "type": "DAY",
        "field": f"${{local.tables.{name}.partition_by_day}}",
        **(kept if ours.time_partitioning.expiration_ms else {}),
    }


def test_every_exemption_from_a_policy_has_its_reason() -> None:
    """checkov itself is run by `make check-terraform`."""
    skips = [
        line.strip()
        for folder in hcl.FOLDERS
        for path in hcl.path_of(folder).glob("*.tf")
        for line in path.read_text().splitlines()
        if "checkov:skip" in line
    ]
    assert skips
    assert all(re.fullmatch(r"#checkov:skip=CKV2?_GCP_\d+:.{20,}", line) for line in skips)


def tf_files() -> list[Path]:
    return sorted(path for folder in hcl.FOLDERS for path in hcl.path_of(folder).glob("*.tf"))


@pytest.mark.parametrize("path", tf_files(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_formatting_is_canonical(path: Path) -> None:
    """Terraform itself judges where it is installed; everywhere its rules on indentation and equals signs hold."""
    assert layout_faults(path.read_text()) == []
    if shutil.which("terraform"):
        checked = subprocess.run(["terraform", "fmt", "-check", "-diff", str(path)], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout


def layout_faults(text: str) -> list[str]:
    """Lines not indented by two spaces a level, or with an equals sign out of line with its neighbours'."""
    faults: list[str] = []
    levels: list[int] = []  # brackets opened by one line are one level
    run: list[int] = []
    heredoc = ""
    for number, line in enumerate(text.splitlines(), 1):
        if heredoc:
            heredoc = "" if line.strip() == heredoc else heredoc
            continue
        code = re.sub(r'"(?:\\.|[^"\\])*"', lambda match: "_" * len(match[0]), line)
        code = re.sub(r"(^|\s)#.*", "", code)
        leading = re.match(r"\s*([\])}]*)", code)
        closing = len(leading[1]) if leading else 0
        _close(levels, closing)
        if line != line.rstrip() or (line.strip() and len(line) - len(line.lstrip()) != 2 * len(levels)):
            faults.append(f"{number}: indentation: {line!r}")
        opened, closed = len(re.findall(r"[\[({]", code)), len(re.findall(r"[\])}]", code)) - closing
        place = code.find(" = ") if opened == closed and re.match(r"\s*[\w.]+\s+= ", code) else -1
        run = [*run, place] if place >= 0 else []
        if len(set(run)) > 1:
            faults.append(f"{number}: equals signs: {line!r}")
        if opened > closed:
            levels.append(opened - closed)
        else:
            _close(levels, closed - opened)
        heredoc = match[1] if (match := re.search(r"<<-?(\w+)$", line)) else ""
    return faults


def _close(levels: list[int], brackets: int) -> None:
    for _ in range(brackets):
        levels[-1] -= 1
        if not levels[-1]:
            levels.pop()
