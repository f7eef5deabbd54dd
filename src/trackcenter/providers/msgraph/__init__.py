"""Microsoft Graph: mail out, reports in."""
