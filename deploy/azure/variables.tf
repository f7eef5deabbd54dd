variable "subscription_id" {
  description = "The Azure subscription that pays."
  type        = string
}

variable "name" {
  description = "Begins the names of everything; small letters and digits, since some names are world-wide."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9]{2,11}$", var.name))
    error_message = "Three to twelve small letters and digits, beginning with a letter."
  }
}

variable "location" {
  description = "Azure's region."
  type        = string
  default     = "westeurope"
}

variable "data_location" {
  description = "Where Communication Services keeps what it keeps."
  type        = string
  default     = "Europe"
}

variable "image" {
  description = "Name and tag in the registry made here, e.g. track-center:1; unset: nothing that runs is made yet."
  type        = string
  default     = null
}

variable "public_host" {
  description = "Host name people and providers use. Unset: the one Container Apps gives."
  type        = string
  default     = null
}

variable "queue" {
  description = "postgres or servicebus."
  type        = string
  default     = "postgres"
  validation {
    condition     = contains(["postgres", "servicebus"], var.queue)
    error_message = "postgres or servicebus."
  }
}

variable "mailbox" {
  description = "The mailbox that sends, and to which bounces come."
  type        = string
}

variable "sms_from" {
  description = "Number or name that text messages come from; unset: none are sent."
  type        = string
  default     = null
}

variable "sender_name" {
  description = "Sender of letters and mails."
  type        = string
}

variable "sender_address" {
  description = "Postal address of the sender."
  type        = string
}

variable "time_zone" {
  type    = string
  default = "Europe/Berlin"
}

variable "seal_key" {
  description = "What `trackcenter audit key` left in DATA/keys/seal_key, on any machine, once. Keep it elsewhere, too."
  type        = string
  sensitive   = true
}

variable "graph_permissions_by_entra" {
  description = "Grant Mail.ReadWrite and Mail.Send in Entra (every mailbox, until an access policy says less). False where Exchange's RBAC for Applications grants them."
  type        = bool
  default     = true
}

variable "event_grid" {
  description = "Subscribe to delivery reports. True once the server can be reached: Event Grid asks it."
  type        = bool
  default     = false
}

variable "database_sku" {
  description = "See the sizing table in docs/guides/scaling.md."
  type        = string
  default     = "B_Standard_B2s"
}

variable "database_storage_mb" {
  type    = number
  default = 65536
}

variable "web_replicas" {
  type    = number
  default = 2
}

variable "worker_replicas" {
  description = "Workers that do everything."
  type        = number
  default     = 1
}

variable "letter_replicas" {
  description = "More workers for letters alone."
  type        = number
  default     = 0
}
