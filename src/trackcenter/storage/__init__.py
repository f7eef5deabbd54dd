"""The one door to stored files: content addressed, written once, read back verified.

`save` and `save_stream` give the SHA-256 that `open`, `open_stream`, `size` and `exists` take;
`sign` and `sign_direct` make links that work without a session until they expire. Nothing else in
the program knows where files are: in a folder, or in a container of Azure Blob Storage.
"""

from trackcenter.storage.blobs import (
    check_writable,
    exists,
    open_blob,
    open_stream,
    prepare,
    save,
    save_stream,
    size,
)
from trackcenter.storage.errors import DamagedBlob, StorageUnavailable
from trackcenter.storage.links import sign, sign_direct

open = open_blob  # `storage.open` for readers of the plan, `open_blob` where it would shadow

__all__ = [
    "DamagedBlob",
    "StorageUnavailable",
    "check_writable",
    "exists",
    "open",
    "open_blob",
    "open_stream",
    "prepare",
    "save",
    "save_stream",
    "sign",
    "sign_direct",
    "size",
]
