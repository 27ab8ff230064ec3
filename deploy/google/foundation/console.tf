# What the console page may do, in its two deployments; why here is said in access.tf. A viewer's reads everything that
# the commands read, and changes nothing: it has no right on Pub/Sub at all, not even to read, for whoever reads a dead
# letter there hides it from others for a while. An operator's, and the job that it starts, may do more.

resource "google_service_account" "console_viewer" {
  account_id   = "dropmerge-console-viewer"
  display_name = "dropmerge: the console page, for viewers"
  depends_on   = [google_project_service.api]
}

resource "google_service_account" "console_operator" {
  account_id   = "dropmerge-console-operator"
  display_name = "dropmerge: the console page, for operators"
  depends_on   = [google_project_service.api]
}

# Journal, ledger and rejected rows; main tables and what is on its way to them, for a row's story.
resource "google_bigquery_dataset_iam_member" "console_viewer_reads" {
  for_each = local.datasets

  dataset_id = google_bigquery_dataset.dataset[each.key].dataset_id
  role       = "roles/bigquery.dataViewer"
  member     = google_service_account.console_viewer.member
}

resource "google_bigquery_dataset_iam_member" "console_operator_reads" {
  for_each = local.datasets

  dataset_id = google_bigquery_dataset.dataset[each.key].dataset_id
  role       = "roles/bigquery.dataViewer"
  member     = google_service_account.console_operator.member
}

resource "google_project_iam_member" "console_viewer_runs_jobs" {
  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.console_viewer.member
}

resource "google_project_iam_member" "console_operator_runs_jobs" {
  project = var.project
  role    = "roles/bigquery.jobUser"
  member  = google_service_account.console_operator.member
}

# To list files and to see whether one is there. No role of Google's has this for objects without their content.
resource "google_storage_bucket_iam_member" "console_viewer_sees_files" {
  for_each = { landing = google_storage_bucket.landing.name, archive = google_storage_bucket.archive.name }

  bucket = each.value
  role   = "roles/storage.objectViewer"
  member = google_service_account.console_viewer.member
}

resource "google_storage_bucket_iam_member" "console_operator_sees_files" {
  for_each = { landing = google_storage_bucket.landing.name, archive = google_storage_bucket.archive.name }

  bucket = each.value
  role   = "roles/storage.objectViewer"
  member = google_service_account.console_operator.member
}

# What waits in subscriptions, and how pushes are answered.
resource "google_project_iam_member" "console_viewer_sees_metrics" {
  project = var.project
  role    = "roles/monitoring.viewer"
  member  = google_service_account.console_viewer.member
}

resource "google_project_iam_member" "console_operator_sees_metrics" {
  project = var.project
  role    = "roles/monitoring.viewer"
  member  = google_service_account.console_operator.member
}

# A replay publishes a dead letter to the topic that it came from; a discard that is taken back, to its dead-letter topic.
resource "google_pubsub_topic_iam_member" "console_operator_publishes" {
  for_each = toset(flatten([for one in local.pushed : [one.topic, one.dead_letter.topic]]))

  topic  = google_pubsub_topic.topic[each.key].id
  role   = "roles/pubsub.publisher"
  member = google_service_account.console_operator.member
}

# And both acknowledge what they have taken.
resource "google_pubsub_subscription_iam_member" "console_operator_takes" {
  for_each = local.pulled

  subscription = google_pubsub_subscription.waiting[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = google_service_account.console_operator.member
}

# Who did what, in this one table.
resource "google_bigquery_table_iam_member" "console_operator_records" {
  dataset_id = google_bigquery_table.journal.dataset_id
  table_id   = google_bigquery_table.journal.table_id
  role       = "roles/bigquery.dataEditor"
  member     = google_service_account.console_operator.member
}
