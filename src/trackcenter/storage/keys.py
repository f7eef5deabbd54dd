"""Where a blob lies in its store: the same name in a folder and in a container.

So that a folder copied into a container by any tool, or back, is found.
"""


def key(sha256: str) -> str:
    """`ab/cd/abcd…`: no folder gets more than a few hundred entries before millions of files."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
