variable "service" {
  description = "Name of the service in the topology: of its function, its subscription, its target."
  type        = string
}

variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "project_number" {
  description = "Number of the same project."
  type        = string
}

variable "region" {
  description = "Region of the function."
  type        = string
}

variable "dataset_location" {
  description = "Location of the datasets. Empty: the region."
  type        = string
}

variable "kms_key" {
  description = "Full name of the key that encrypts the function. Empty: Google's own keys do."
  type        = string
}

variable "topology" {
  description = "deploy/topology.yaml, decoded."
  type        = any
}

variable "bundle" {
  description = "Path of the zip that `python -m deploy.bundle` wrote."
  type        = string
}

variable "reservation" {
  description = "Whose slots the service's queries run on, projects/P/locations/L/reservations/R; empty: the project's own."
  type        = string
  default     = ""
}
