locals {
  topology = yamldecode(file("${path.module}/../../topology.yaml"))
}

resource "google_service_account" "ingest" {
  account_id   = "dropmerge-ingest"
  display_name = "dropmerge: ingest"
}

# Names of what the foundation creates: deploy/google/README.md, "Names".

# Ingest reads files that arrive, and checks that the bucket exists, to distinguish a lost generation from a lost bucket.
resource "google_storage_bucket_iam_member" "reads" {
  for_each = toset(["landing", "archive"])

  bucket = "${var.project}-${each.key}"
  role   = "roles/storage.objectViewer"
  member = google_service_account.ingest.member
}

resource "google_storage_bucket_iam_member" "sees_bucket" {
  for_each = toset(["landing", "archive"])

  bucket = "${var.project}-${each.key}"
  role   = "roles/storage.legacyBucketReader"
  member = google_service_account.ingest.member
}

# Ingest may create objects here, and so cannot overwrite or delete any.
resource "google_storage_bucket_iam_member" "pins" {
  bucket = "${var.project}-archive"
  role   = "roles/storage.objectCreator"
  member = google_service_account.ingest.member
}

resource "google_bigquery_dataset_iam_member" "stages" {
  dataset_id = "staging"
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.ingest.member
}

# Ingest may edit these two tables, not the whole dataset, which has the ledger.
resource "google_bigquery_table_iam_member" "records" {
  for_each = toset(["journal", "rejected_rows"])

  dataset_id = "ops"
  table_id   = each.key
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.ingest.member
}

resource "google_project_iam_member" "runs_jobs" {
  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.ingest.member
}

resource "google_pubsub_topic_iam_member" "publishes" {
  for_each = toset([
    local.topology.subscriptions.merge.topic,
    local.topology.subscriptions.ingest.dead_letter.topic,
  ])

  topic  = each.key
  role   = "roles/pubsub.publisher"
  member = google_service_account.ingest.member
}

module "service" {
  source = "../modules/service"

  service  = "ingest"
  project  = var.project
  region   = var.region
  topology = local.topology
  bundle   = var.bundle
  identity = google_service_account.ingest.email

  # Messages come as soon as the subscription exists: the grants that handling them needs come first.
  depends_on = [
    google_storage_bucket_iam_member.reads,
    google_storage_bucket_iam_member.sees_bucket,
    google_storage_bucket_iam_member.pins,
    google_bigquery_dataset_iam_member.stages,
    google_bigquery_table_iam_member.records,
    google_project_iam_member.runs_jobs,
    google_pubsub_topic_iam_member.publishes,
  ]
}
