terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }

  # `python -m deploy.google` gives bucket and prefix.
  backend "gcs" {}
}

provider "google" {
  project = var.project
  region  = var.region
}
