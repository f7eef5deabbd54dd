"""Track Center: the delivery history of every bill, and the proof of it."""

__version__ = "0.1.0"
