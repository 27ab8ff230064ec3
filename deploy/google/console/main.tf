# The console page behind Identity-Aware Proxy, twice: one deployment of the image for viewers, one for operators, each as
# its own identity. What these may do is in the foundation: deploy/google/README.md, "Who may do what".

locals {
  topology = yamldecode(file("${path.module}/../../topology.yaml"))
  prefix   = local.topology.name_prefix

  # Built by deploy/google/image.py, after the plan and before it is applied. The name changes with the contents.
  image = "${var.region}-docker.pkg.dev/${var.project}/dropmerge/console:${filesha256(var.bundle)}"

  people  = { viewer = var.console_viewers, operator = var.console_operators }
  kms_key = var.kms_key == "" ? null : var.kms_key
  # Made of the number, not asked for, as in modules/service/push.tf.
  iap_agent = "serviceAccount:service-${var.project_number}@gcp-sa-iap.iam.gserviceaccount.com"

  # Read by dropmerge/page/google.py. What IAP signs for: https://cloud.google.com/iap/docs/signed-headers-howto
  audience = "/projects/${var.project_number}/locations/${var.region}/services/${local.prefix}console"
  common = {
    GOOGLE_CLOUD_PROJECT = var.project
    DROPMERGE_FEEDS      = "feeds"
    DROPMERGE_LOCATION   = var.dataset_location == "" ? var.region : var.dataset_location
  }
  own = {
    viewer = {
      DROPMERGE_CONSOLE_ROLE     = "viewer"
      DROPMERGE_CONSOLE_AUDIENCE = "${local.audience}-viewer"
      DROPMERGE_CONSOLE_JOB      = ""
    }
    operator = {
      DROPMERGE_CONSOLE_ROLE     = "operator"
      DROPMERGE_CONSOLE_AUDIENCE = "${local.audience}-operator"
      DROPMERGE_CONSOLE_JOB      = "projects/${var.project}/locations/${var.region}/jobs/${local.prefix}console"
    }
  }
}

resource "google_cloud_run_v2_service" "page" {
  provider = google-beta
  for_each = local.own

  name     = "${local.prefix}console-${each.key}"
  location = var.region
  # Open to browsers. IAP asks each who they are, and the page verifies what IAP says.
  # https://cloud.google.com/run/docs/securing/identity-aware-proxy-cloud-run
  ingress     = "INGRESS_TRAFFIC_ALL"
  iap_enabled = true
  # It keeps nothing.
  deletion_protection = false

  template {
    service_account       = "dropmerge-console-${each.key}@${var.project}.iam.gserviceaccount.com"
    execution_environment = "EXECUTION_ENVIRONMENT_GEN2"
    encryption_key        = local.kms_key
    timeout               = "300s"
    # As many as the server has threads: dropmerge/page/serve.py.
    max_instance_request_concurrency = 16

    # What it has read, and what its forms are signed with, is in the memory of one instance.
    scaling {
      min_instance_count = 0
      max_instance_count = 1
    }

    containers {
      image = local.image

      resources {
        limits            = { cpu = "1", memory = "512Mi" }
        cpu_idle          = true
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = merge(local.common, each.value)
        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }
}

# A binding and not a member, so that members added by hand are removed again.
resource "google_cloud_run_v2_service_iam_binding" "only_iap_invokes" {
  for_each = google_cloud_run_v2_service.page

  name     = each.value.name
  location = var.region
  role     = "roles/run.invoker"
  members  = [local.iap_agent]
}

# Whom IAP lets through. A binding without members cannot be: where there are none there is no binding.
resource "google_iap_web_cloud_run_service_iam_binding" "people" {
  for_each = { for role, members in local.people : role => members if length(members) > 0 }

  project                = var.project
  location               = var.region
  cloud_run_service_name = google_cloud_run_v2_service.page[each.key].name
  role                   = "roles/iap.httpsResourceAccessor"
  members                = each.value
}

# Carries out what takes longer than a request may, as the operator's identity. Its argument is the operation's id.
resource "google_cloud_run_v2_job" "operations" {
  name                = "${local.prefix}console"
  location            = var.region
  deletion_protection = false

  template {
    template {
      service_account       = "dropmerge-console-operator@${var.project}.iam.gserviceaccount.com"
      execution_environment = "EXECUTION_ENVIRONMENT_GEN2"
      encryption_key        = local.kms_key
      timeout               = "86400s"
      # A second try is for a person to begin, who has seen how far the first came.
      max_retries = 0

      containers {
        image   = local.image
        command = ["python", "-m", "dropmerge.page.worker"]

        resources {
          limits = { cpu = "1", memory = "512Mi" }
        }

        dynamic "env" {
          for_each = merge(local.common, local.own.operator)
          content {
            name  = env.key
            value = env.value
          }
        }
      }
    }
  }
}

# The command is fixed; who starts it gives its argument. https://cloud.google.com/iam/docs/roles-permissions/run
resource "google_cloud_run_v2_job_iam_member" "operator_starts" {
  name     = google_cloud_run_v2_job.operations.name
  location = var.region
  role     = "roles/run.jobsExecutorWithOverrides"
  member   = "serviceAccount:dropmerge-console-operator@${var.project}.iam.gserviceaccount.com"
}

output "addresses" {
  description = "Where the page is, by role."
  value       = { for role, page in google_cloud_run_v2_service.page : role => page.uri }
}
