"""Many PDFs as one print file, in memory that does not grow with their number."""

import io
import tempfile
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import pikepdf

_AT_ONCE = 100
"""Documents open at a time: each costs a file descriptor and its object table."""


def merge(documents: Iterable[bytes | Path], output: Path) -> int:
    """Write all pages of the documents, in their order, to `output`; gives the number of pages.

    Nothing is held but a hundred documents at a time; the rest waits on disk beside `output`. The
    same documents give the same bytes. The result is for the printer: it has the pages and their
    fonts, but none of the documents' tags; what is archived is the documents themselves.

    Raises ValueError when there are none, or one cannot be read (its place is named, from 1).
    """
    place = 0
    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as folder:
        parts: list[Path] = []
        waiting = iter(documents)
        while some := list(islice(waiting, _AT_ONCE)):
            part = Path(folder) / f"{len(parts)}.pdf"
            _join(some, part, first=place + 1)
            parts.append(part)
            place += len(some)
        if not parts:
            raise ValueError("there are no documents to merge")
        while len(parts) > 1:
            joined = []
            for start in range(0, len(parts), _AT_ONCE):
                part = parts[start].with_suffix(".joined.pdf")
                _join(parts[start : start + _AT_ONCE], part, first=1)
                joined.append(part)
            parts = [part.rename(part.with_suffix("").with_suffix(".pdf")) for part in joined]
        with pikepdf.open(parts[0]) as whole:
            pages = len(whole.pages)
        parts[0].replace(output)
    return pages


def _join(documents: Iterable[bytes | Path], output: Path, *, first: int) -> None:
    with pikepdf.new() as whole:
        opened = []
        try:
            for place, document in enumerate(documents, start=first):
                try:
                    source = pikepdf.open(
                        document if isinstance(document, Path) else io.BytesIO(document)
                    )
                except pikepdf.PdfError as error:
                    raise ValueError(f"document {place} cannot be merged: {error}") from error
                opened.append(source)
                if "/OutputIntents" in source.Root and "/OutputIntents" not in whole.Root:
                    whole.Root.OutputIntents = whole.copy_foreign(source.Root.OutputIntents)
                for page in source.pages:
                    # They point into a tree of tags that is not there any more.
                    for key in ("/StructParents", "/Tabs"):
                        if key in page.obj:
                            del page.obj[key]
                whole.pages.extend(source.pages)
            whole.save(output, deterministic_id=True)
        finally:
            for source in opened:
                source.close()
