# Metrics: https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-pubsub and #gcp-run. Names of subscriptions and
# functions come from the topology, so that a service can be deployed again without touching its alerts.

locals {
  waiting_ids  = join(", ", [for name in keys(local.pulled) : "\"${name}\""])
  pushed_ids   = join(", ", [for name in keys(local.pushed) : "\"${name}\""])
  moving_ids   = join(", ", [for name in concat(keys(local.pushed), keys(local.kept)) : "\"${name}\""])
  function_ids = join(", ", [for name in keys(local.topology.services) : "\"${name}\""])

  # A threshold is crossed when the value stays above it for `minutes`.
  alerts = {
    "Dead letters waiting" = {
      filter    = "metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = one_of(${local.waiting_ids})"
      aligner   = "ALIGN_MAX"
      group_by  = ["resource.labels.subscription_id"]
      threshold = 0
      minutes   = 0
    }
    # This counts what Pub/Sub itself gave up on; a service's own dead letters are not in it.
    "Deliveries exhausted" = {
      filter    = "metric.type = \"pubsub.googleapis.com/subscription/dead_letter_message_count\" AND resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = one_of(${local.pushed_ids})"
      aligner   = "ALIGN_DELTA"
      group_by  = ["resource.labels.subscription_id"]
      threshold = 0
      minutes   = 0
    }
    "Oldest message too old" = {
      filter    = "metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = one_of(${local.moving_ids})"
      aligner   = "ALIGN_MAX"
      group_by  = ["resource.labels.subscription_id"]
      threshold = 1800
      minutes   = 5
    }
    # Pushes that reached no function, or that it did not admit. A function's own 5xx are the next alert.
    "Push errors" = {
      filter    = "metric.type = \"pubsub.googleapis.com/subscription/push_request_count\" AND resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = one_of(${local.pushed_ids}) AND metric.labels.response_class != \"ack\" AND metric.labels.response_class != \"remote_server_5xx\""
      aligner   = "ALIGN_DELTA"
      group_by  = ["resource.labels.subscription_id", "metric.labels.response_class"]
      threshold = 10
      minutes   = 10
    }
    "Function errors" = {
      filter    = "metric.type = \"run.googleapis.com/request_count\" AND resource.type = \"cloud_run_revision\" AND resource.labels.service_name = one_of(${local.function_ids}) AND metric.labels.response_code_class = \"5xx\""
      aligner   = "ALIGN_DELTA"
      group_by  = ["resource.labels.service_name"]
      threshold = 50
      minutes   = 10
    }
    "Merge backlog" = {
      filter    = "metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"merge\""
      aligner   = "ALIGN_MIN"
      group_by  = ["resource.labels.subscription_id"]
      threshold = 1000
      minutes   = 15
    }
  }

  channels = [for one in google_monitoring_notification_channel.operators : one.id]
}

resource "google_monitoring_notification_channel" "operators" {
  count = var.alert_email == "" ? 0 : 1

  display_name = "dropmerge operators"
  type         = "email"
  labels       = { email_address = var.alert_email }
  depends_on   = [google_project_service.api]
}

resource "google_monitoring_alert_policy" "metric" {
  for_each = local.alerts

  display_name          = "dropmerge: ${each.key}"
  combiner              = "OR"
  notification_channels = local.channels
  depends_on            = [google_project_service.api]

  conditions {
    display_name = each.key
    condition_threshold {
      filter          = each.value.filter
      comparison      = "COMPARISON_GT"
      threshold_value = each.value.threshold
      duration        = "${each.value.minutes * 60}s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = each.value.aligner
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = each.value.group_by
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "What it means and what to do: ${var.runbook}#${lower(replace(each.key, " ", "-"))}"
  }
}

# A crash is a line of severity ERROR with its stack trace, which Error Reporting groups.
resource "google_monitoring_alert_policy" "crash" {
  display_name          = "dropmerge: Crash"
  combiner              = "OR"
  notification_channels = local.channels
  depends_on            = [google_project_service.api]

  conditions {
    display_name = "Crash"
    condition_matched_log {
      filter = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = (${replace(local.function_ids, ", ", " OR ")}) AND severity >= ERROR"
    }
  }

  alert_strategy {
    auto_close = "86400s"
    # An alert on log lines must have this.
    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "What it means and what to do: ${var.runbook}#crash"
  }
}
