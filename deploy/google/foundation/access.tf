# What the services may do. All of it is here, and none in their own roots: a grant on a dataset is written by reading the
# whole list of grants and writing it back, and of two roots that do so at once one loses its own.

resource "google_service_account" "ingest" {
  account_id   = "dropmerge-ingest"
  display_name = "dropmerge: ingest"
  depends_on   = [google_project_service.api]
}

resource "google_service_account" "merge" {
  account_id   = "dropmerge-merge"
  display_name = "dropmerge: merge"
  depends_on   = [google_project_service.api]
}

# Ingest reads files that arrive, and checks that the bucket exists, to distinguish a lost generation from a lost bucket.
resource "google_storage_bucket_iam_member" "ingest_reads" {
  for_each = { landing = google_storage_bucket.landing.name, archive = google_storage_bucket.archive.name }

  bucket = each.value
  role   = "roles/storage.objectViewer"
  member = google_service_account.ingest.member
}

resource "google_storage_bucket_iam_member" "ingest_sees_bucket" {
  for_each = { landing = google_storage_bucket.landing.name, archive = google_storage_bucket.archive.name }

  bucket = each.value
  role   = "roles/storage.legacyBucketReader"
  member = google_service_account.ingest.member
}

# Ingest may create objects here, and so cannot overwrite or delete any.
resource "google_storage_bucket_iam_member" "ingest_pins" {
  bucket = google_storage_bucket.archive.name
  role   = "roles/storage.objectCreator"
  member = google_service_account.ingest.member
}

resource "google_bigquery_dataset_iam_member" "ingest_stages" {
  dataset_id = google_bigquery_dataset.dataset["staging"].dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.ingest.member
}

# Ingest may edit these two tables, not the whole dataset, which has the ledger.
resource "google_bigquery_table_iam_member" "ingest_records" {
  for_each = {
    journal       = google_bigquery_table.journal.table_id
    rejected_rows = google_bigquery_table.rejected_rows.table_id
  }

  dataset_id = google_bigquery_dataset.dataset["ops"].dataset_id
  table_id   = each.value
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.ingest.member
}

resource "google_project_iam_member" "ingest_runs_jobs" {
  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.ingest.member
}

resource "google_pubsub_topic_iam_member" "ingest_publishes" {
  for_each = toset([
    local.topology.subscriptions.merge.topic,
    local.topology.subscriptions.ingest.dead_letter.topic,
  ])

  topic  = google_pubsub_topic.topic[each.key].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.ingest.member
}

# Merge reads and drops staging tables, writes main tables, ledger and locks. It has no access to any bucket.
resource "google_bigquery_dataset_iam_member" "merge_edits" {
  for_each = local.datasets

  dataset_id = google_bigquery_dataset.dataset[each.key].dataset_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.merge.member
}

resource "google_project_iam_member" "merge_runs_jobs" {
  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.merge.member
}

# Its own dead letters; and it asks ingest to read a file anew, by the contract that merge runs.
resource "google_pubsub_topic_iam_member" "merge_publishes" {
  for_each = toset([
    local.topology.subscriptions.merge.dead_letter.topic,
    local.topology.subscriptions.ingest.topic,
  ])

  topic  = google_pubsub_topic.topic[each.key].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.merge.member
}
