resource "google_pubsub_topic" "topic" {
  #checkov:skip=CKV_GCP_83:Messages carry names and sizes of files, no content; kms_key encrypts them where it is set.
  for_each = local.topology.topics

  name                       = "${local.prefix}${each.key}"
  kms_key_name               = one(local.kms_keys)
  message_retention_duration = try(format("%ds", each.value.retention_seconds), null)
  depends_on                 = [google_project_service.api]

  # Names of files may be personal data, and with the policy gcp.resourceLocations a topic without this is refused.
  # https://cloud.google.com/pubsub/docs/resource-location-restriction
  message_storage_policy {
    allowed_persistence_regions = length(var.message_regions) == 0 ? [var.region] : var.message_regions
  }
}

resource "google_pubsub_topic_iam_member" "storage_publishes" {
  topic  = google_pubsub_topic.topic[local.topology.buckets.landing.notify].id
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:${data.google_storage_project_service_account.agent.email_address}"
}

# One of the two grants without which Pub/Sub forwards nothing and does not even count attempts; the other, on the
# subscription, is in modules/service/push.tf. https://cloud.google.com/pubsub/docs/dead-letter-topics#grant_forwarding_permissions
resource "google_pubsub_topic_iam_member" "pubsub_forwards" {
  for_each = toset([for one in local.pushed : one.dead_letter.topic])

  topic  = google_pubsub_topic.topic[each.key].id
  role   = "roles/pubsub.publisher"
  member = google_project_service_identity.pubsub.member
}

# Where dead letters wait for an operator, and would be lost with it: what cannot be destroyed is in README.md, "Destroying". A topic without a subscription would lose them.
resource "google_pubsub_subscription" "waiting" {
  for_each = local.pulled

  name                       = "${local.prefix}${each.key}"
  topic                      = google_pubsub_topic.topic[each.value.topic].id
  ack_deadline_seconds       = each.value.ack_deadline_seconds
  message_retention_duration = "${each.value.retention_seconds}s"

  # Without this a subscription that nobody pulls from is deleted after 31 days, with what it holds.
  expiration_policy {
    ttl = ""
  }

  lifecycle {
    prevent_destroy = true
  }
}

# The same dead letters once more, as rows: Pub/Sub writes them without any code of ours, at least once each, so that a row
# may be there twice. https://cloud.google.com/pubsub/docs/bigquery
resource "google_pubsub_subscription" "kept" {
  for_each = local.kept

  name                       = "${local.prefix}${each.key}"
  topic                      = google_pubsub_topic.topic[each.value.topic].id
  ack_deadline_seconds       = each.value.ack_deadline_seconds
  message_retention_duration = "${each.value.retention_seconds}s"

  bigquery_config {
    table          = "${var.project}.${each.value.to_table}"
    write_metadata = true
  }

  expiration_policy {
    ttl = ""
  }

  lifecycle {
    prevent_destroy = true
  }

  # Google refuses the subscription unless the table is there and the agent may write to it.
  depends_on = [google_bigquery_table_iam_member.pubsub_writes]
}

resource "google_bigquery_table_iam_member" "pubsub_writes" {
  dataset_id = google_bigquery_table.dead_letter_messages.dataset_id
  table_id   = google_bigquery_table.dead_letter_messages.table_id
  role       = "roles/bigquery.dataEditor"
  member     = google_project_service_identity.pubsub.member
}
