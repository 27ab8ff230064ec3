variable "project" {
  description = "Id of the Google Cloud project."
  type        = string
}

variable "region" {
  description = "Region of everything, such as europe-west1: a bucket and the dataset it is loaded into must share one."
  type        = string
}

variable "alert_email" {
  description = "Who is told when an alert fires. Empty: alerts are shown in the console only."
  type        = string
  default     = ""
}

variable "runbook" {
  description = "Where alerts link to: the address of docs/runbook.md as your team reads it."
  type        = string
  default     = "docs/runbook.md"
}
