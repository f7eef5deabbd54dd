"""One hash over several files, to tell whether anything has to be done again."""

import hashlib
from collections.abc import Iterable
from pathlib import Path


def fingerprint(files: Iterable[Path], *, root: Path) -> str:
    """SHA-256 (hex) over the names (relative to `root`) and contents of `files`, in name order.

    A file that is not there counts as such, so its coming or going changes the result.
    """
    total = hashlib.sha256()
    for file in sorted(files):
        content = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "absent"
        total.update(f"{file.relative_to(root).as_posix()}\0{content}\n".encode())
    return total.hexdigest()
