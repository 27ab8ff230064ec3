variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "The foundation's region."
  type        = string
}

variable "bundle" {
  description = "Path of the zip that `python -m deploy.bundle ingest` wrote."
  type        = string
}
