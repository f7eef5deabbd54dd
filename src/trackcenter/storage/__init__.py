"""The one door to stored files: content addressed, written once, read back verified.

`save` and `save_stream` give the SHA-256 that `open`, `open_stream`, `size` and `exists` take;
`sign` makes a link that works without a session until it expires. Nothing else in the program knows
where files are.
"""

from trackcenter.storage.blobs import (
    DamagedBlob,
    check_writable,
    exists,
    open_blob,
    open_stream,
    save,
    save_stream,
    size,
)
from trackcenter.storage.links import sign

open = open_blob  # `storage.open` for readers of the plan, `open_blob` where it would shadow

__all__ = [
    "DamagedBlob",
    "check_writable",
    "exists",
    "open",
    "open_blob",
    "open_stream",
    "save",
    "save_stream",
    "sign",
    "size",
]
