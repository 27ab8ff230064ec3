resource "google_storage_bucket" "landing" {
  #checkov:skip=CKV_GCP_62:Who reads is in Cloud Audit Logs where they are told to keep it: SECURITY.md, "Who read what".
  name                        = "${var.project}-landing"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  depends_on                  = [google_project_service.api]

  dynamic "encryption" {
    for_each = local.kms_keys
    content {
      default_kms_key_name = encryption.value
    }
  }

  # An overwritten file can still be pinned by the notification that was on its way.
  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = local.topology.buckets.landing.keep_overwritten_days
    }
  }

  # What was pinned is in the archive bucket; to list a bucket that is never emptied would take ever longer.
  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      age        = local.topology.buckets.landing.keep_days
      with_state = "LIVE"
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }
}

resource "google_storage_bucket" "archive" {
  #checkov:skip=CKV_GCP_62:Who reads is in Cloud Audit Logs where they are told to keep it: SECURITY.md, "Who read what".
  #checkov:skip=CKV_GCP_78:Each object is written once; the retention policy forbids to overwrite or delete it.
  name                        = "${var.project}-archive"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  depends_on                  = [google_project_service.api]

  dynamic "encryption" {
    for_each = local.kms_keys
    content {
      default_kms_key_name = encryption.value
    }
  }

  retention_policy {
    retention_period = local.topology.buckets.archive.retention_days * 86400
  }

  dynamic "lifecycle_rule" {
    for_each = local.topology.buckets.archive.colder_after_days
    content {
      action {
        type          = "SetStorageClass"
        storage_class = lifecycle_rule.key
      }
      condition {
        age = lifecycle_rule.value
      }
    }
  }

  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 7
    }
  }
}

# The services' bundles. A function keeps its own copy, so old bundles are needed only to go back to them.
resource "google_storage_bucket" "bundles" {
  #checkov:skip=CKV_GCP_62:Who reads is in Cloud Audit Logs where they are told to keep it: SECURITY.md, "Who read what".
  name                        = "${var.project}-bundles"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  depends_on                  = [google_project_service.api]

  dynamic "encryption" {
    for_each = local.kms_keys
    content {
      default_kms_key_name = encryption.value
    }
  }

  versioning {
    enabled = true
  }

  lifecycle_rule {
    action {
      type = "Delete"
    }
    condition {
      days_since_noncurrent_time = 90
    }
  }
}

# A notification of our own and not an Eventarc trigger: that one hides its subscription and keeps messages for a day.
resource "google_storage_notification" "arrivals" {
  bucket         = google_storage_bucket.landing.name
  topic          = google_pubsub_topic.topic[local.topology.buckets.landing.notify].id
  payload_format = "JSON_API_V1"
  event_types    = ["OBJECT_FINALIZE"]
  # Google refuses the notification until the agent may publish.
  depends_on = [google_pubsub_topic_iam_member.storage_publishes]
}
