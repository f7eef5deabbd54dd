# Who may send, and who may sign in.

data "azuread_client_config" "this" {}

data "azuread_application_published_app_ids" "microsoft" {}

data "azuread_service_principal" "graph" {
  client_id = data.azuread_application_published_app_ids.microsoft.result["MicrosoftGraph"]
}

# The managed identity sends: no secret that could be stolen or expire.
resource "azuread_app_role_assignment" "graph" {
  for_each            = toset(var.graph_permissions_by_entra ? ["Mail.ReadWrite", "Mail.Send"] : [])
  app_role_id         = data.azuread_service_principal.graph.app_role_ids[each.key]
  principal_object_id = azurerm_user_assigned_identity.app.principal_id
  resource_object_id  = data.azuread_service_principal.graph.object_id
}

resource "random_uuid" "admin_role" {}

resource "azuread_application" "people" {
  display_name     = "Track Center"
  sign_in_audience = "AzureADMyOrg"
  app_role {
    id                   = random_uuid.admin_role.result
    allowed_member_types = ["User"]
    display_name         = "Administrator"
    description          = "Administers Track Center"
    value                = "track-center-admin"
  }
  web {
    redirect_uris = ["${local.public_url}/accounts/oidc/login/callback/"]
  }
}

resource "azuread_service_principal" "people" {
  client_id                    = azuread_application.people.client_id
  app_role_assignment_required = true
}

resource "azuread_application_password" "people" {
  application_id = azuread_application.people.id
  display_name   = "Track Center"
}
