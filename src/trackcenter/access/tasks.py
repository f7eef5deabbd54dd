"""What access does on a schedule."""

from django.core.management import call_command

from trackcenter.queue.tasks import every


@every("17 3 * * *", "clear-sessions")
def clear_sessions() -> None:
    """Forget the sessions that have expired; nobody can use them, but they hold who was here."""
    call_command("clearsessions", verbosity=0)
