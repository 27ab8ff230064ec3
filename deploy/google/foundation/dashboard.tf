locals {
  charts = [
    for title, chart in {
      "Dead letters waiting"             = local.alerts["Dead letters waiting"]
      "Oldest unacknowledged message, s" = local.alerts["Oldest message too old"]
      "Function errors"                  = local.alerts["Function errors"]
      "Merge backlog"                    = local.alerts["Merge backlog"]
      "Pushes that failed" = {
        filter   = "metric.type = \"pubsub.googleapis.com/subscription/push_request_count\" AND resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = one_of(${local.pushed_ids}) AND metric.labels.response_class != \"ack\""
        aligner  = "ALIGN_DELTA"
        group_by = ["resource.labels.subscription_id", "metric.labels.response_class"]
      }
      "Messages pushed" = {
        filter   = "metric.type = \"pubsub.googleapis.com/subscription/push_request_count\" AND resource.type = \"pubsub_subscription\" AND resource.labels.subscription_id = one_of(${local.pushed_ids})"
        aligner  = "ALIGN_DELTA"
        group_by = ["resource.labels.subscription_id", "metric.labels.response_class"]
      }
      "Instances" = {
        filter   = "metric.type = \"run.googleapis.com/container/instance_count\" AND resource.type = \"cloud_run_revision\" AND resource.labels.service_name = one_of(${local.function_ids})"
        aligner  = "ALIGN_MAX"
        group_by = ["resource.labels.service_name"]
      }
      "Bytes billed by BigQuery" = {
        filter   = "metric.type = \"bigquery.googleapis.com/query/scanned_bytes_billed\" AND resource.type = \"global\""
        aligner  = "ALIGN_DELTA"
        group_by = []
      }
    } :
    {
      title = title
      xyChart = {
        dataSets = [{
          plotType = "LINE"
          timeSeriesQuery = {
            timeSeriesFilter = {
              filter = chart.filter
              aggregation = {
                alignmentPeriod    = "300s"
                perSeriesAligner   = chart.aligner
                crossSeriesReducer = "REDUCE_SUM"
                groupByFields      = chart.group_by
              }
            }
          }
        }]
      }
    }
  ]
}

resource "google_monitoring_dashboard" "pipeline" {
  depends_on = [google_project_service.api]
  dashboard_json = jsonencode({
    displayName = "dropmerge"
    # Text, as the API answers it: a number would be a change in every plan.
    gridLayout = { columns = "2", widgets = local.charts }
  })
}
