locals {
  topology = yamldecode(file("${path.module}/../../topology.yaml"))
  feeds = [
    for name in fileset("${path.module}/../../feeds", "*.{yaml,yml}") :
    yamldecode(file("${path.module}/../../feeds/${name}"))
  ]
}

resource "google_service_account" "merge" {
  account_id   = "dropmerge-merge"
  display_name = "dropmerge: merge"
}

# Names of what the foundation creates: deploy/google/README.md, "Names".

# Merge reads and drops staging tables, writes main tables, ledger and locks. It has no access to any bucket.
resource "google_bigquery_dataset_iam_member" "merges" {
  for_each = setunion(["staging", "ops"], [for feed in local.feeds : split(".", feed.table)[0]])

  dataset_id = each.key
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.merge.member
}

resource "google_project_iam_member" "runs_jobs" {
  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.merge.member
}

resource "google_pubsub_topic_iam_member" "publishes" {
  topic  = local.topology.subscriptions.merge.dead_letter.topic
  role   = "roles/pubsub.publisher"
  member = google_service_account.merge.member
}

# Merge asks ingest to read a file anew, by the contract that merge runs.
resource "google_pubsub_topic_iam_member" "asks_ingest" {
  topic  = local.topology.subscriptions.ingest.topic
  role   = "roles/pubsub.publisher"
  member = google_service_account.merge.member
}

module "service" {
  source = "../modules/service"

  service  = "merge"
  project  = var.project
  region   = var.region
  topology = local.topology
  bundle   = var.bundle
  identity = google_service_account.merge.email

  reservation = var.merge_reservation

  # Messages come as soon as the subscription exists: the grants that handling them needs come first.
  depends_on = [
    google_bigquery_dataset_iam_member.merges,
    google_project_iam_member.runs_jobs,
    google_pubsub_topic_iam_member.publishes,
    google_pubsub_topic_iam_member.asks_ingest,
  ]
}
