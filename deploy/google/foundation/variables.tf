variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "project_number" {
  description = "Number of the same project, which the addresses of Google's own agents contain."
  type        = string
}

variable "region" {
  description = "Region of buckets, functions and topics, such as europe-west1."
  type        = string
}

variable "dataset_location" {
  description = "Location of the datasets: the region, or the multi-region around it (EU, US). Empty: the region."
  type        = string
  default     = ""
}

variable "message_regions" {
  description = "The regions in which Pub/Sub may keep messages. Empty: the region alone."
  type        = list(string)
  default     = []
}

variable "kms_key" {
  description = "Full name of the key that encrypts what is stored. Empty: Google's own keys do."
  type        = string
  default     = ""
}

variable "alert_email" {
  description = "Who is told when an alert fires. Empty: alerts are shown in the console only."
  type        = string
  default     = ""
}

variable "runbook" {
  description = "The address of docs/runbook.md as your team reads it, for a link in alerts beside its text. Empty: no link."
  type        = string
  default     = ""
}
