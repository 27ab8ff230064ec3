locals {
  # Made of the number, not asked for: what is asked for may be unknown while something else changes, and a grant to an
  # unknown member is taken away and made again.
  pubsub_agent = "serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

# The identity of pushes. It may call this one function and nothing else.
resource "google_service_account" "push" {
  account_id   = "dropmerge-${var.service}-push"
  display_name = "dropmerge: pushes messages to ${var.service}"
}

# A binding and not a member, so that members added by hand are removed again.
resource "google_cloud_run_v2_service_iam_binding" "only_push_invokes" {
  name     = google_cloudfunctions2_function.function.name
  location = var.region
  role     = "roles/run.invoker"
  members  = [google_service_account.push.member]
}

# https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
resource "google_service_account_iam_member" "pubsub_signs" {
  service_account_id = google_service_account.push.name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = local.pubsub_agent
}

resource "google_pubsub_subscription" "push" {
  name                       = local.name
  topic                      = "projects/${var.project}/topics/${local.prefix}${local.subscription.topic}"
  ack_deadline_seconds       = local.subscription.ack_deadline_seconds
  message_retention_duration = "${local.subscription.retention_seconds}s"
  # Otherwise the first pushes would be refused.
  depends_on = [
    google_cloud_run_v2_service_iam_binding.only_push_invokes,
    google_service_account_iam_member.pubsub_signs,
  ]

  push_config {
    # The run.app address; through the cloudfunctions.net one a push would not be internal.
    push_endpoint = google_cloudfunctions2_function.function.service_config[0].uri
    oidc_token {
      service_account_email = google_service_account.push.email
      audience              = google_cloudfunctions2_function.function.service_config[0].uri
    }
  }

  retry_policy {
    minimum_backoff = "${local.subscription.retry.minimum_backoff_seconds}s"
    maximum_backoff = "${local.subscription.retry.maximum_backoff_seconds}s"
  }

  dead_letter_policy {
    dead_letter_topic     = "projects/${var.project}/topics/${local.prefix}${local.subscription.dead_letter.topic}"
    max_delivery_attempts = local.subscription.dead_letter.max_delivery_attempts
  }

  expiration_policy {
    ttl = ""
  }

  # What waits in it would go with it. `make destroy-…` works on a copy of these files that says otherwise.
  lifecycle {
    prevent_destroy = true
  }
}

# The second grant that forwarding needs; the foundation has the one on the dead-letter topic.
resource "google_pubsub_subscription_iam_member" "pubsub_forwards" {
  subscription = google_pubsub_subscription.push.name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
