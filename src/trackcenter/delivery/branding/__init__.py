"""A building's own face: sender, logo and texts, checked when saved and shown before sending."""
