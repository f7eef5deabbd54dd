"""Handing a rendered message to a provider, and the provider's words in ours."""
