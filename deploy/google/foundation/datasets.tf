locals {
  # A contract may name a dataset of its own.
  datasets = setunion(
    keys(local.topology.datasets),
    [for feed in local.feeds : split(".", feed.table)[0]],
  )
  # The services read the same files, and would make the same tables where they are missing.
  tables = {
    for name in ["dead_letter_messages", "journal", "rejected_rows"] :
    name => jsondecode(file("${path.module}/../../../services/shared/tables/${name}.json"))
  }
}

resource "google_bigquery_dataset" "dataset" {
  #checkov:skip=CKV_GCP_81:Google's own keys encrypt it unless kms_key says otherwise.
  for_each = local.datasets

  dataset_id = each.key
  location   = var.dataset_location == "" ? var.region : var.dataset_location
  # A MERGE writes most of its table anew; billed by physical bytes, seven days of what was there before would be paid too.
  # https://cloud.google.com/bigquery/docs/datasets-intro#dataset_storage_billing_models
  storage_billing_model = "LOGICAL"
  # Staging tables outlive the dead letters that may still need them.
  default_table_expiration_ms = try(local.topology.datasets[each.key].table_expiration_days * 86400000, null)
  delete_contents_on_destroy  = each.key == "staging"
  depends_on                  = [google_project_service.api]

  dynamic "default_encryption_configuration" {
    for_each = local.kms_keys
    content {
      kms_key_name = default_encryption_configuration.value
    }
  }
}

# Created here, so that ingest needs no right to create tables beside the ledger, which is in the same dataset.
resource "google_bigquery_table" "journal" {
  #checkov:skip=CKV_GCP_80:Google's own keys encrypt it unless kms_key says otherwise.
  dataset_id          = google_bigquery_dataset.dataset["ops"].dataset_id
  table_id            = "journal"
  schema              = jsonencode(local.tables.journal.schema)
  clustering          = local.tables.journal.clustering
  deletion_protection = true

  # The dataset's default, said again: a table that does not say it would be made anew by the next plan.
  dynamic "encryption_configuration" {
    for_each = local.kms_keys
    content {
      kms_key_name = encryption_configuration.value
    }
  }

  time_partitioning {
    type          = "DAY"
    field         = local.tables.journal.partition_by_day
    expiration_ms = local.tables.journal.keep_days * 86400000
  }
}

resource "google_bigquery_table" "rejected_rows" {
  #checkov:skip=CKV_GCP_80:Google's own keys encrypt it unless kms_key says otherwise.
  dataset_id          = google_bigquery_dataset.dataset["ops"].dataset_id
  table_id            = "rejected_rows"
  schema              = jsonencode(local.tables.rejected_rows.schema)
  clustering          = local.tables.rejected_rows.clustering
  deletion_protection = true

  # The dataset's default, said again: a table that does not say it would be made anew by the next plan.
  dynamic "encryption_configuration" {
    for_each = local.kms_keys
    content {
      kms_key_name = encryption_configuration.value
    }
  }
}

# Every dead letter that ever was, for longer than it can wait for an operator.
resource "google_bigquery_table" "dead_letter_messages" {
  #checkov:skip=CKV_GCP_80:Google's own keys encrypt it unless kms_key says otherwise.
  dataset_id          = google_bigquery_dataset.dataset["ops"].dataset_id
  table_id            = "dead_letter_messages"
  schema              = jsonencode(local.tables.dead_letter_messages.schema)
  clustering          = local.tables.dead_letter_messages.clustering
  deletion_protection = true

  # The dataset's default, said again: a table that does not say it would be made anew by the next plan.
  dynamic "encryption_configuration" {
    for_each = local.kms_keys
    content {
      kms_key_name = encryption_configuration.value
    }
  }

  time_partitioning {
    type          = "DAY"
    field         = local.tables.dead_letter_messages.partition_by_day
    expiration_ms = local.tables.dead_letter_messages.keep_days * 86400000
  }
}
