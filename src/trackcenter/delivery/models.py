"""The pace at which a provider may be called, shared by every worker process."""

from django.db import models


class ProviderPace(models.Model):
    """When the next message may go out through a channel."""

    channel = models.CharField(primary_key=True, max_length=20)
    next_at = models.DateTimeField()

    class Meta:
        db_table = "provider_paces"
