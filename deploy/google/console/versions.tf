terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 7.45"
    }
    # For iap_enabled, which it has had since magic-modules#13575.
    google-beta = {
      source  = "hashicorp/google-beta"
      version = "~> 7.45"
    }
  }

  # `python -m deploy.google` gives bucket and prefix.
  backend "gcs" {}
}

provider "google" {
  project = var.project
  region  = var.region
  # A person's credentials are of no project, and several APIs refuse them without one to bill.
  # https://cloud.google.com/docs/authentication/troubleshoot-adc#user-creds-client-based
  user_project_override = true
  billing_project       = var.project
  default_labels        = { dropmerge_service = "console" }
}

provider "google-beta" {
  project = var.project
  region  = var.region
  # A person's credentials are of no project, and several APIs refuse them without one to bill.
  # https://cloud.google.com/docs/authentication/troubleshoot-adc#user-creds-client-based
  user_project_override = true
  billing_project       = var.project
  default_labels        = { dropmerge_service = "console" }
}
