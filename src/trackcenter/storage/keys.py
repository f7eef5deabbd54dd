"""Where a blob lies in its store: the same name in a folder and in a container.

So that a folder copied into a container by any tool, or back, is found.
"""

import re

_PATH = re.compile(r"([0-9a-f]{2})/([0-9a-f]{2})/(\1\2[0-9a-f]{60})")


def key(sha256: str) -> str:
    """`ab/cd/abcd…`: no folder gets more than a few hundred entries before millions of files."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def hash_at(path: str) -> str | None:
    """The hash of the blob that lies at this path; None where something else lies."""
    found = _PATH.fullmatch(path)
    return found[3] if found else None
