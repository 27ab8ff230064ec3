output "console" {
  description = "What the dropmerge commands need to know about this deployment, as shell exports."
  value       = <<-EOT
    export GOOGLE_CLOUD_PROJECT=${var.project}
    export DROPMERGE_LOCATION=${google_bigquery_dataset.dataset["ops"].location}
    export DROPMERGE_LANDING_BUCKET=${google_storage_bucket.landing.name}
    export DROPMERGE_ARCHIVE_BUCKET=${google_storage_bucket.archive.name}
  EOT
}
