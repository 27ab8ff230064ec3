variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "The foundation's region."
  type        = string
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
