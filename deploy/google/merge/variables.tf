variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "project_number" {
  description = "Number of the same project, which the addresses of Google's own agents contain."
  type        = string
}

variable "region" {
  description = "The foundation's region."
  type        = string
}

variable "dataset_location" {
  description = "The foundation's dataset_location."
  type        = string
  default     = ""
}

variable "kms_key" {
  description = "The foundation's kms_key."
  type        = string
  default     = ""
}

variable "bundle" {
  description = "Path of the zip that `python -m deploy.bundle merge` wrote."
  type        = string
}

variable "merge_reservation" {
  description = "Whose slots merge's queries run on, projects/P/locations/L/reservations/R; empty: the project's own."
  type        = string
  default     = ""
}
