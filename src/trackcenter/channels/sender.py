"""Who a message comes from, as its reader sees it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender block of a message.

    `address` is a postal address, its lines parted by line breaks or commas; `reply_to` the e-mail
    address answers go to; `payee` the account holder when the billing row names none.
    """

    name: str
    address: str = ""
    reply_to: str | None = None
    phone: str | None = None
    payee: str | None = None
