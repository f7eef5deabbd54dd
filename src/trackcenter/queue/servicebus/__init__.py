"""Azure Service Bus: where deliveries and exports wait when QUEUE=servicebus.

The SDK is imported where it is used, so that nobody else pays for it.
"""
