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
  description = "Path of the zip that `python -m deploy.bundle console` wrote."
  type        = string
}

variable "console_viewers" {
  description = "Who may look: user:ADDRESS or group:ADDRESS. Empty: nobody."
  type        = list(string)
  default     = []
}

variable "console_operators" {
  description = "Who may also replay, discard and take discards back: user:ADDRESS or group:ADDRESS. Empty: nobody."
  type        = list(string)
  default     = []
}
