"""Azure Communication Services: text messages, and mail as a second provider."""
