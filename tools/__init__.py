"""Development tools: set-up, lints, check and test drivers. Never imported by the product."""
