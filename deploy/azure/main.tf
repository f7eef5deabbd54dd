# What Track Center stands on: network, database, files, queue, providers. The programs: apps.tf.

locals {
  topics = toset(["email", "sms", "letter", "letter-with-receipt", "export"])
}

resource "azurerm_resource_group" "this" {
  name     = var.name
  location = var.location
}

resource "azurerm_user_assigned_identity" "app" {
  name                = "${var.name}-app"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
}

# --- network -------------------------------------------------------------------------------------

resource "azurerm_virtual_network" "this" {
  name                = "${var.name}-net"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  address_space       = ["10.60.0.0/16"]
}

resource "azurerm_subnet" "apps" {
  name                 = "apps"
  resource_group_name  = azurerm_resource_group.this.name
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = ["10.60.0.0/23"]
  delegation {
    name = "apps"
    service_delegation {
      name    = "Microsoft.App/environments"
      actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
    }
  }
}

resource "azurerm_subnet" "database" {
  name                 = "database"
  resource_group_name  = azurerm_resource_group.this.name
  virtual_network_name = azurerm_virtual_network.this.name
  address_prefixes     = ["10.60.2.0/28"]
  delegation {
    name = "database"
    service_delegation {
      name    = "Microsoft.DBforPostgreSQL/flexibleServers"
      actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
    }
  }
}

resource "azurerm_private_dns_zone" "database" {
  name                = "${var.name}.private.postgres.database.azure.com"
  resource_group_name = azurerm_resource_group.this.name
}

resource "azurerm_private_dns_zone_virtual_network_link" "database" {
  name                  = "database"
  resource_group_name   = azurerm_resource_group.this.name
  private_dns_zone_name = azurerm_private_dns_zone.database.name
  virtual_network_id    = azurerm_virtual_network.this.id
}

# --- database ------------------------------------------------------------------------------------
# Two roles (decision 16): the server's administrator owns the tables and migrates; the programs use
# trackcenter_app, which somebody must make once, see docs/guides/azure.md.

resource "random_password" "database" {
  for_each = toset(["owner", "app"])
  length   = 32
  special  = false
}

resource "azurerm_postgresql_flexible_server" "this" {
  name                          = "${var.name}-pg"
  resource_group_name           = azurerm_resource_group.this.name
  location                      = azurerm_resource_group.this.location
  version                       = "17"
  sku_name                      = var.database_sku
  storage_mb                    = var.database_storage_mb
  auto_grow_enabled             = true
  backup_retention_days         = 35
  delegated_subnet_id           = azurerm_subnet.database.id
  private_dns_zone_id           = azurerm_private_dns_zone.database.id
  public_network_access_enabled = false
  administrator_login           = "trackcenter"
  administrator_password        = random_password.database["owner"].result
  depends_on                    = [azurerm_private_dns_zone_virtual_network_link.database]
  lifecycle {
    ignore_changes  = [zone]
    prevent_destroy = true
  }
}

resource "azurerm_postgresql_flexible_server_configuration" "extensions" {
  name      = "azure.extensions"
  server_id = azurerm_postgresql_flexible_server.this.id
  value     = "PG_TRGM,BTREE_GIN"
}

resource "azurerm_postgresql_flexible_server_database" "this" {
  name      = "trackcenter"
  server_id = azurerm_postgresql_flexible_server.this.id
  charset   = "UTF8"
  collation = "en_US.utf8"
}

# --- files ---------------------------------------------------------------------------------------

resource "azurerm_storage_account" "this" {
  name                            = "${var.name}files"
  resource_group_name             = azurerm_resource_group.this.name
  location                        = azurerm_resource_group.this.location
  account_tier                    = "Standard"
  account_replication_type        = "ZRS"
  min_tls_version                 = "TLS1_2"
  allow_nested_items_to_be_public = false
  shared_access_key_enabled       = false
  blob_properties {
    versioning_enabled = true
    delete_retention_policy {
      days = 35
    }
    container_delete_retention_policy {
      days = 35
    }
  }
  lifecycle {
    prevent_destroy = true
  }
}

resource "azurerm_storage_container" "files" {
  name                  = "files"
  storage_account_id    = azurerm_storage_account.this.id
  container_access_type = "private"
}

resource "azurerm_role_assignment" "files" {
  scope                = azurerm_storage_container.files.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = azurerm_user_assigned_identity.app.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "links" {
  scope                = azurerm_storage_account.this.id
  role_definition_name = "Storage Blob Delegator"
  principal_id         = azurerm_user_assigned_identity.app.principal_id
  principal_type       = "ServicePrincipal"
}

# --- queue, with QUEUE=servicebus only -----------------------------------------------------------

resource "azurerm_servicebus_namespace" "this" {
  count               = var.queue == "servicebus" ? 1 : 0
  name                = "${var.name}-bus"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  sku                 = "Standard"
  minimum_tls_version = "1.2"
}

resource "azurerm_servicebus_topic" "this" {
  for_each                                = var.queue == "servicebus" ? local.topics : toset([])
  name                                    = each.key
  namespace_id                            = azurerm_servicebus_namespace.this[0].id
  requires_duplicate_detection            = true
  duplicate_detection_history_time_window = "PT10M"
  max_size_in_megabytes                   = 5120
}

resource "azurerm_servicebus_subscription" "worker" {
  for_each                                  = azurerm_servicebus_topic.this
  name                                      = "worker"
  topic_id                                  = each.value.id
  lock_duration                             = "PT1M"
  max_delivery_count                        = 10
  dead_lettering_on_message_expiration      = true
  dead_lettering_on_filter_evaluation_error = true
}

resource "azurerm_servicebus_namespace_authorization_rule" "app" {
  count        = var.queue == "servicebus" ? 1 : 0
  name         = "track-center"
  namespace_id = azurerm_servicebus_namespace.this[0].id
  listen       = true
  send         = true
}

# --- text messages, and the reports about them ---------------------------------------------------

resource "azurerm_communication_service" "this" {
  name                = "${var.name}-acs"
  resource_group_name = azurerm_resource_group.this.name
  data_location       = var.data_location
}

resource "random_password" "event_grid" {
  length  = 40
  special = false
}

resource "azurerm_eventgrid_system_topic" "reports" {
  name                = "${var.name}-reports"
  resource_group_name = azurerm_resource_group.this.name
  location            = "global"
  source_resource_id  = azurerm_communication_service.this.id
  topic_type          = "Microsoft.Communication.CommunicationServices"
}

resource "azurerm_eventgrid_system_topic_event_subscription" "sms" {
  count               = var.event_grid ? 1 : 0
  name                = "track-center-sms"
  system_topic        = azurerm_eventgrid_system_topic.reports.name
  resource_group_name = azurerm_resource_group.this.name
  included_event_types = [
    "Microsoft.Communication.SMSDeliveryReportReceived",
  ]
  webhook_endpoint {
    url = "${local.public_url}/api/track/providers/msgraph/sms?code=${random_password.event_grid.result}"
  }
  retry_policy {
    event_time_to_live    = 1440
    max_delivery_attempts = 30
  }
}
