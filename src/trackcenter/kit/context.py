"""What the work at hand belongs to: one value a thread or task, read by the log and the records."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request being answered; empty outside of requests."""

communication_id: ContextVar[str] = ContextVar("communication_id", default="")
"""The communication a request or a job is about; empty where it is about none, or several."""

message_source: ContextVar[str] = ContextVar("message_source", default="")
"""Of a message another producer put on the Service Bus: its topic and the id that producer gave it,
the same however often it is delivered. Empty for our own work."""
