"""What can go wrong with the embedded PostgreSQL, in words for whoever runs it."""


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot run; the message says why and what to do about it."""
