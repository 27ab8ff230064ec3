# Metrics: https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-pubsub and #gcp-run. Names of subscriptions and
# functions come from the topology, so that a service can be deployed again without touching its alerts.

locals {
  waiting_ids  = join(", ", [for name in keys(local.pulled) : "\"${local.prefix}${name}\""])
  pushed_ids   = join(", ", [for name in keys(local.pushed) : "\"${local.prefix}${name}\""])
  moving_ids   = join(", ", [for name in concat(keys(local.pushed), keys(local.kept)) : "\"${local.prefix}${name}\""])
  function_ids = join(", ", [for name in keys(local.topology.services) : "\"${local.prefix}${name}\""])

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
    # Pushes that reached no function. A function's own 5xx are the next alert; what it did not admit is further below.
    "Push errors" = {
      filter    = "metric.type = \"pubsub.googleapis.com/subscription/push_request_count\" AND resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = one_of(${local.pushed_ids}) AND metric.labels.response_class != \"ack\" AND metric.labels.response_class != \"remote_server_5xx\" AND metric.labels.response_class != \"remote_server_4xx\""
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
      filter    = "metric.type = \"pubsub.googleapis.com/subscription/num_undelivered_messages\" AND resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = \"${local.prefix}merge\""
      aligner   = "ALIGN_MIN"
      group_by  = ["resource.labels.subscription_id"]
      threshold = 1000
      minutes   = 15
    }
  }

  runbook = file("${path.module}/../../../docs/runbook.md")
  # What each alert says: its section of the runbook, which needs no link, and a link where one is known.
  documentation = {
    for name in concat(keys(local.alerts), ["Pushes refused", "Crash"]) : name => join("\n\n", compact([
      trimspace(regex("(?s)\n### ${name}\n(.*?)\n##", local.runbook)[0]),
      var.runbook == "" ? "" : "The whole runbook: ${var.runbook}#${lower(replace(name, " ", "-"))}",
    ]))
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
    content   = local.documentation[each.key]
  }
}

# A 429 says that no instance was free, as in any burst, and is worth a word only once messages grow old of it. A 401, 403 or
# 404 stops everything, so that messages grow old at once. Pub/Sub counts both as remote_server_4xx.
resource "google_monitoring_alert_policy" "refused" {
  display_name          = "dropmerge: Pushes refused"
  combiner              = "AND"
  notification_channels = local.channels
  depends_on            = [google_project_service.api]

  conditions {
    display_name = "Pushes are refused"
    condition_threshold {
      filter          = "metric.type = \"pubsub.googleapis.com/subscription/push_request_count\" AND resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = one_of(${local.pushed_ids}) AND metric.labels.response_class = \"remote_server_4xx\""
      comparison      = "COMPARISON_GT"
      threshold_value = 10
      duration        = "300s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.labels.subscription_id"]
      }
    }
  }

  conditions {
    display_name = "Messages grow old"
    condition_threshold {
      filter          = "metric.type = \"pubsub.googleapis.com/subscription/oldest_unacked_message_age\" AND resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = one_of(${local.pushed_ids})"
      comparison      = "COMPARISON_GT"
      threshold_value = 900
      duration        = "300s"
      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_MAX"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.labels.subscription_id"]
      }
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = local.documentation["Pushes refused"]
  }
}

# A crash is a line of severity ERROR with its stack trace, which Error Reporting groups. The log of requests has that
# severity for each 5xx, such as the 503 with which a service asks for a message once more.
resource "google_monitoring_alert_policy" "crash" {
  display_name          = "dropmerge: Crash"
  combiner              = "OR"
  notification_channels = local.channels
  depends_on            = [google_project_service.api]

  conditions {
    display_name = "Crash"
    condition_matched_log {
      filter = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = (${replace(local.function_ids, ", ", " OR ")}) AND NOT logName:\"run.googleapis.com%2Frequests\" AND severity >= ERROR"
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
    content   = local.documentation["Crash"]
  }
}
