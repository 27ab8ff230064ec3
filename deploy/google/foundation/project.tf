# What the other roots may rely on from here is listed in deploy/google/README.md, "Names".

locals {
  topology = yamldecode(file("${path.module}/../../topology.yaml"))
  feeds = [
    for name in fileset("${path.module}/../../feeds", "*.{yaml,yml}") :
    yamldecode(file("${path.module}/../../feeds/${name}"))
  ]
  requirements = yamldecode(file("${path.module}/../requirements.yaml"))

  # Of topics, subscriptions and functions: others may use the project too.
  prefix   = local.topology.name_prefix
  kms_keys = var.kms_key == "" ? [] : [var.kms_key]

  pushed = { for name, one in local.topology.subscriptions : name => one if try(one.push_to, null) != null }
  kept   = { for name, one in local.topology.subscriptions : name => one if try(one.to_table, null) != null }
  pulled = {
    for name, one in local.topology.subscriptions : name => one
    if try(one.push_to, null) == null && try(one.to_table, null) == null
  }
}

resource "google_project_service" "api" {
  for_each = toset(local.requirements.apis)

  service = each.key
  # Other services of the project may use the API too.
  disable_on_destroy = false
}

# Enabling an API does not create its agent, and a grant to an agent that does not exist fails.
resource "google_project_service_identity" "pubsub" {
  provider = google-beta

  project    = var.project
  service    = "pubsub.googleapis.com"
  depends_on = [google_project_service.api]
}

# Identity-Aware Proxy's agent, which alone may call the console page.
resource "google_project_service_identity" "iap" {
  provider = google-beta

  project    = var.project
  service    = "iap.googleapis.com"
  depends_on = [google_project_service.api]
}

# Asking creates the agent. Nothing that is asked for depends on a resource: while that changes the answer is unknown, and
# a grant to an unknown member is taken away and made again.
data "google_storage_project_service_account" "agent" {}
