# What merge may do is in the foundation, with all that it may do it with: deploy/google/README.md, "Who may do what".
module "service" {
  source = "../modules/service"

  service          = "merge"
  project          = var.project
  project_number   = var.project_number
  region           = var.region
  dataset_location = var.dataset_location
  kms_key          = var.kms_key
  topology         = yamldecode(file("${path.module}/../../topology.yaml"))
  bundle           = var.bundle
  reservation      = var.merge_reservation
}
