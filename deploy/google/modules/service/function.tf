locals {
  settings     = var.topology.services[var.service]
  subscription = var.topology.subscriptions[var.service]
  # Of topics, subscriptions and functions: others may use the project too.
  prefix = var.topology.name_prefix
  name   = "${local.prefix}${var.service}"
}

# The name changes with the contents, which is what makes Cloud Functions build again.
resource "google_storage_bucket_object" "bundle" {
  name   = "${var.service}/${filesha256(var.bundle)}.zip"
  bucket = "${var.project}-bundles"
  source = var.bundle
}

resource "google_cloudfunctions2_function" "function" {
  name         = local.name
  location     = var.region
  kms_key_name = var.kms_key == "" ? null : var.kms_key

  build_config {
    runtime           = "python${replace(var.topology.python, ".", "")}"
    entry_point       = var.service
    service_account   = "projects/${var.project}/serviceAccounts/dropmerge-build@${var.project}.iam.gserviceaccount.com"
    docker_repository = "projects/${var.project}/locations/${var.region}/repositories/dropmerge"

    source {
      storage_source {
        bucket = google_storage_bucket_object.bundle.bucket
        object = google_storage_bucket_object.bundle.name
        # Otherwise that of Google's copy of the bundle before, which the state has, would be sent with this name.
        generation = google_storage_bucket_object.bundle.generation
      }
    }
  }

  service_config {
    service_account_email = "dropmerge-${var.service}@${var.project}.iam.gserviceaccount.com"
    # Push from a subscription of the same project counts as internal if it goes to the run.app address.
    # https://cloud.google.com/run/docs/securing/ingress#settings
    ingress_settings               = "ALLOW_INTERNAL_ONLY"
    all_traffic_on_latest_revision = true
    timeout_seconds                = local.subscription.ack_deadline_seconds
    available_memory               = local.settings.memory
    # More than one request at a time needs a whole CPU.
    available_cpu      = local.settings.cpu
    min_instance_count = 0
    max_instance_count = local.settings.instances
    # As many as the server has threads: otherwise requests would wait in it while other instances are idle.
    # https://cloud.google.com/functions/docs/configuring/concurrency
    max_instance_request_concurrency = local.settings.threads

    environment_variables = {
      # Read by functions-framework's server.
      THREADS = local.settings.threads
      # Cloud Functions sets it, and its framework then puts another span into log lines that have one.
      LOG_EXECUTION_ID = "false"

      # Read by services/shared/settings.py.
      GOOGLE_CLOUD_PROJECT        = var.project
      DROPMERGE_SERVICE           = var.service
      DROPMERGE_LOCATION          = var.dataset_location == "" ? var.region : var.dataset_location
      DROPMERGE_FEEDS             = "feeds"
      DROPMERGE_LANDING_PREFIX    = var.topology.buckets.landing.prefix
      DROPMERGE_IGNORE            = jsonencode(var.topology.buckets.landing.ignore)
      DROPMERGE_ARRIVED_TOPIC     = "${local.prefix}${var.topology.subscriptions.ingest.topic}"
      DROPMERGE_ARCHIVE_BUCKET    = "${var.project}-archive"
      DROPMERGE_STAGED_TOPIC      = "${local.prefix}${var.topology.subscriptions.merge.topic}"
      DROPMERGE_DEAD_LETTER_TOPIC = "${local.prefix}${local.subscription.dead_letter.topic}"
      DROPMERGE_RESERVATION       = var.reservation
      DROPMERGE_BUDGET_SECONDS    = local.subscription.ack_deadline_seconds - 60
      DROPMERGE_PATIENCE_SECONDS  = 1200
    }
  }
}
