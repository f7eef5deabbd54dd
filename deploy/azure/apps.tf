# The programs: one image, several commands.

locals {
  runs        = var.image == null ? 0 : 1
  public_host = coalesce(var.public_host, "${var.name}-web.${azurerm_container_app_environment.this.default_domain}")
  public_url  = "https://${local.public_host}"
  server      = azurerm_postgresql_flexible_server.this.fqdn

  settings = {
    TRACKCENTER_DATA                   = "/data"
    TRACKCENTER_PUBLIC_URL             = local.public_url
    TRACKCENTER_ALLOWED_HOSTS          = local.public_host
    TRACKCENTER_TRUSTED_PROXIES        = "1"
    TRACKCENTER_STORAGE_URL            = "az://${azurerm_storage_account.this.name}/${azurerm_storage_container.files.name}"
    TRACKCENTER_AZURE_STORAGE_IDENTITY = azurerm_user_assigned_identity.app.client_id
    TRACKCENTER_GRAPH_TENANT_ID        = data.azuread_client_config.this.tenant_id
    TRACKCENTER_GRAPH_CLIENT_ID        = azurerm_user_assigned_identity.app.client_id
    TRACKCENTER_GRAPH_MANAGED_IDENTITY = azurerm_user_assigned_identity.app.client_id
    TRACKCENTER_GRAPH_MAILBOX          = var.mailbox
    TRACKCENTER_ACS_ENDPOINT           = "https://${azurerm_communication_service.this.hostname}"
    TRACKCENTER_SMS_FROM               = var.sms_from
    TRACKCENTER_QUEUE                  = var.queue
    TRACKCENTER_SENDER_NAME            = var.sender_name
    TRACKCENTER_SENDER_ADDRESS         = var.sender_address
    TRACKCENTER_TIME_ZONE              = var.time_zone
    TRACKCENTER_SEAL_KEY               = "/secrets/seal-key"
    TRACKCENTER_OIDC_SERVER_URL        = "https://login.microsoftonline.com/${data.azuread_client_config.this.tenant_id}/v2.0"
    TRACKCENTER_OIDC_CLIENT_ID         = azuread_application.people.client_id
    TRACKCENTER_OIDC_ADMIN_GROUP       = "track-center-admin"
  }

  # Name in Container Apps => the setting it becomes. The seal key is a file: it has no setting here.
  secrets = merge(
    {
      "secret-key"         = { setting = "TRACKCENTER_SECRET_KEY", value = random_password.secret_key.result }
      "graph-client-state" = { setting = "TRACKCENTER_GRAPH_CLIENT_STATE", value = random_password.client_state.result }
      "event-grid"         = { setting = "TRACKCENTER_EVENTGRID_SECRETS", value = random_password.event_grid.result }
      "acs-access-key"     = { setting = "TRACKCENTER_ACS_ACCESS_KEY", value = azurerm_communication_service.this.primary_key }
      "oidc-client-secret" = { setting = "TRACKCENTER_OIDC_CLIENT_SECRET", value = azuread_application_password.people.value }
    },
    var.queue == "servicebus" ? {
      "servicebus" = { setting = "TRACKCENTER_SERVICEBUS_CONNECTION_STRING", value = azurerm_servicebus_namespace_authorization_rule.app[0].primary_connection_string }
    } : {}
  )
  secret_settings = nonsensitive({ for name, secret in local.secrets : name => secret.setting })

  database_urls = {
    for role, login in { owner = "trackcenter", app = "trackcenter_app" } : role =>
    "postgresql://${login}:${random_password.database[role].result}@${local.server}:5432/trackcenter?sslmode=require"
  }

  # Beside `web`. One worker at least must do everything.
  workers = {
    worker  = { arguments = ["worker"], replicas = var.worker_replicas, cpu = 1, memory = "2Gi" }
    letters = { arguments = ["worker", "--channel", "LETTER", "--channel", "LETTER_WITH_RECEIPT"], replicas = var.letter_replicas, cpu = 1, memory = "2Gi" }
  }
}

resource "random_password" "secret_key" {
  length  = 64
  special = false
}

resource "random_password" "client_state" {
  length  = 48
  special = false
}

resource "azurerm_log_analytics_workspace" "this" {
  name                = "${var.name}-logs"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  retention_in_days   = 30
}

resource "azurerm_container_registry" "this" {
  name                = "${var.name}images"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  sku                 = "Basic"
  admin_enabled       = false
}

resource "azurerm_role_assignment" "pull" {
  scope                = azurerm_container_registry.this.id
  role_definition_name = "AcrPull"
  principal_id         = azurerm_user_assigned_identity.app.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_container_app_environment" "this" {
  name                       = "${var.name}-apps"
  resource_group_name        = azurerm_resource_group.this.name
  location                   = azurerm_resource_group.this.location
  infrastructure_subnet_id   = azurerm_subnet.apps.id
  logs_destination           = "log-analytics"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.this.id
  workload_profile {
    name                  = "Consumption"
    workload_profile_type = "Consumption"
  }
  lifecycle {
    ignore_changes = [infrastructure_resource_group_name, workload_profile]
  }
}

# Run by hand before each start of a new version: az containerapp job start.
resource "azurerm_container_app_job" "migrate" {
  count                        = local.runs
  name                         = "${var.name}-migrate"
  resource_group_name          = azurerm_resource_group.this.name
  location                     = azurerm_resource_group.this.location
  container_app_environment_id = azurerm_container_app_environment.this.id
  workload_profile_name        = "Consumption"
  replica_timeout_in_seconds   = 1800
  replica_retry_limit          = 0
  manual_trigger_config {
    parallelism              = 1
    replica_completion_count = 1
  }
  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.app.id]
  }
  registry {
    server   = azurerm_container_registry.this.login_server
    identity = azurerm_user_assigned_identity.app.id
  }
  secret {
    name  = "database-url"
    value = local.database_urls["owner"]
  }
  secret {
    name  = "secret-key"
    value = random_password.secret_key.result
  }
  template {
    container {
      name   = "migrate"
      image  = "${azurerm_container_registry.this.login_server}/${var.image}"
      args   = ["migrate", "--role", "trackcenter_app"]
      cpu    = 0.5
      memory = "1Gi"
      env {
        name        = "TRACKCENTER_DATABASE_URL"
        secret_name = "database-url"
      }
      env {
        name        = "TRACKCENTER_SECRET_KEY"
        secret_name = "secret-key"
      }
      dynamic "env" {
        for_each = { for name in ["PUBLIC_URL", "ALLOWED_HOSTS", "STORAGE_URL", "AZURE_STORAGE_IDENTITY"] : name => local.settings["TRACKCENTER_${name}"] }
        content {
          name  = "TRACKCENTER_${env.key}"
          value = env.value
        }
      }
    }
  }
  depends_on = [azurerm_role_assignment.pull]
}

resource "azurerm_container_app" "web" {
  count                        = local.runs
  name                         = "${var.name}-web"
  resource_group_name          = azurerm_resource_group.this.name
  container_app_environment_id = azurerm_container_app_environment.this.id
  workload_profile_name        = "Consumption"
  revision_mode                = "Single"
  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.app.id]
  }
  registry {
    server   = azurerm_container_registry.this.login_server
    identity = azurerm_user_assigned_identity.app.id
  }
  ingress {
    external_enabled = true
    target_port      = 8000
    traffic_weight {
      percentage      = 100
      latest_revision = true
    }
  }
  dynamic "secret" {
    for_each = local.secret_settings
    content {
      name  = secret.key
      value = local.secrets[secret.key].value
    }
  }
  secret {
    name  = "database-url"
    value = local.database_urls["app"]
  }
  secret {
    name  = "seal-key"
    value = var.seal_key
  }
  template {
    min_replicas                     = var.web_replicas
    max_replicas                     = var.web_replicas * 2
    termination_grace_period_seconds = 60
    volume {
      name         = "secrets"
      storage_type = "Secret"
    }
    http_scale_rule {
      name                = "requests"
      concurrent_requests = "12"
    }
    container {
      name   = "web"
      image  = "${azurerm_container_registry.this.login_server}/${var.image}"
      cpu    = 1
      memory = "2Gi"
      volume_mounts {
        name = "secrets"
        path = "/secrets"
      }
      env {
        name        = "TRACKCENTER_DATABASE_URL"
        secret_name = "database-url"
      }
      dynamic "env" {
        for_each = local.secret_settings
        content {
          name        = env.value
          secret_name = env.key
        }
      }
      dynamic "env" {
        for_each = { for name, value in local.settings : name => value if value != null }
        content {
          name  = env.key
          value = env.value
        }
      }
      startup_probe {
        transport               = "HTTP"
        port                    = 8000
        path                    = "/healthz"
        interval_seconds        = 5
        failure_count_threshold = 24
      }
      liveness_probe {
        transport        = "HTTP"
        port             = 8000
        path             = "/healthz"
        interval_seconds = 15
        timeout          = 5
      }
      readiness_probe {
        transport        = "HTTP"
        port             = 8000
        path             = "/readyz"
        interval_seconds = 15
        timeout          = 10
      }
    }
  }
  depends_on = [azurerm_role_assignment.pull, azurerm_role_assignment.files, azurerm_role_assignment.links]
}

resource "azurerm_container_app" "worker" {
  for_each                     = { for name, worker in local.workers : name => worker if local.runs == 1 && worker.replicas > 0 }
  name                         = "${var.name}-${each.key}"
  resource_group_name          = azurerm_resource_group.this.name
  container_app_environment_id = azurerm_container_app_environment.this.id
  workload_profile_name        = "Consumption"
  revision_mode                = "Single"
  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.app.id]
  }
  registry {
    server   = azurerm_container_registry.this.login_server
    identity = azurerm_user_assigned_identity.app.id
  }
  dynamic "secret" {
    for_each = local.secret_settings
    content {
      name  = secret.key
      value = local.secrets[secret.key].value
    }
  }
  secret {
    name  = "database-url"
    value = local.database_urls["app"]
  }
  secret {
    name  = "seal-key"
    value = var.seal_key
  }
  template {
    min_replicas                     = each.value.replicas
    max_replicas                     = each.value.replicas
    termination_grace_period_seconds = 60
    volume {
      name         = "secrets"
      storage_type = "Secret"
    }
    container {
      name   = "worker"
      image  = "${azurerm_container_registry.this.login_server}/${var.image}"
      args   = each.value.arguments
      cpu    = each.value.cpu
      memory = each.value.memory
      volume_mounts {
        name = "secrets"
        path = "/secrets"
      }
      env {
        name        = "TRACKCENTER_DATABASE_URL"
        secret_name = "database-url"
      }
      dynamic "env" {
        for_each = local.secret_settings
        content {
          name        = env.value
          secret_name = env.key
        }
      }
      dynamic "env" {
        for_each = { for name, value in local.settings : name => value if value != null }
        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }
  depends_on = [azurerm_role_assignment.pull, azurerm_role_assignment.files, azurerm_role_assignment.links]
}
