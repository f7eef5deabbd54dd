output "public_url" {
  value = local.public_url
}

output "registry" {
  description = "docker push here."
  value       = azurerm_container_registry.this.login_server
}

output "identity_client_id" {
  description = "The application that Exchange's access policy names."
  value       = azurerm_user_assigned_identity.app.client_id
}

output "database_server" {
  value = local.server
}

output "database_passwords" {
  description = "terraform output -json database_passwords"
  value       = { for role in ["owner", "app"] : role => random_password.database[role].result }
  sensitive   = true
}
