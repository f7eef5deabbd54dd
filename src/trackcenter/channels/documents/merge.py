"""Many PDFs as one print file, in memory that hardly grows with their number.

pikepdf alone would keep every object of every document until the end, 180 KB a letter. So it joins
a hundred at a time, which also leaves out what their pages do not need, and the joined parts are
copied one after the other, object by object, under new numbers (ISO 32000-1, 7.5).
"""

import hashlib
import io
import re
import tempfile
from array import array
from collections.abc import Iterable
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import pikepdf

_AT_ONCE = 100
_CATALOG, _PAGES = 1, 2
# A reference in qpdf's own spelling of an object; strings come first, so that none is mistaken.
_STRING_OR_REFERENCE = re.compile(rb"\((?:\\.|[^\\()])*\)|<[0-9A-Fa-f]*>|\b(\d+) 0 R\b", re.DOTALL)


def merge(documents: Iterable[bytes | Path], output: Path) -> int:
    """Write all pages of the documents, in their order, to `output`; gives the number of pages.

    The documents are asked for one at a time, so they can come from a generator. The same
    documents give the same bytes. The result is for the printer: it has their pages, fonts and
    output intent, but none of their tags; what is archived is the documents themselves.

    Raises ValueError when there are none, or one cannot be read (its place is named, from 1).
    """
    waiting = iter(documents)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as folder:
        part, whole = Path(folder) / "part.pdf", Path(folder) / "whole.pdf"
        with whole.open("wb") as file:
            run = _PrintFile(file)
            place = 1
            while some := list(islice(waiting, _AT_ONCE)):
                _join(some, part, first=place)
                run.append(part)
                place += len(some)
            if place == 1:
                raise ValueError("there are no documents to merge")
            run.finish()
        whole.replace(output)
    return run.pages


def _join(documents: Iterable[bytes | Path], output: Path, *, first: int) -> None:
    with ExitStack() as until_saved, pikepdf.new() as whole:
        for place, document in enumerate(documents, start=first):
            stream = document if isinstance(document, Path) else io.BytesIO(document)
            try:
                source = until_saved.enter_context(pikepdf.open(stream))
            except pikepdf.PdfError as error:
                raise ValueError(f"document {place} cannot be merged: {error}") from error
            if "/OutputIntents" in source.Root and "/OutputIntents" not in whole.Root:
                whole.Root.OutputIntents = whole.copy_foreign(source.Root.OutputIntents)
            for page in source.pages:
                for key in ("/StructParents", "/Tabs"):  # of a tree of tags that stays behind
                    if key in page.obj:
                        del page.obj[key]
            whole.pages.extend(source.pages)
        whole.save(
            output, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.disable
        )


class _PrintFile:
    """A PDF that grows by whole documents; only the places of its objects are kept in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self.pages = 0
        self._file = file
        self._hash = hashlib.sha256()
        self._length = 0
        self._places = array("Q", bytes(8 * 3))  # by object number; 0 is none, 1 and 2 come last
        self._kids: list[bytes] = []
        self._intents = b""
        self._write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def append(self, path: Path) -> None:
        """All objects of the document but its catalog; its page tree becomes a branch of ours."""
        with pikepdf.open(path, access_mode=pikepdf.AccessMode.stream) as document:
            base = len(self._places) - 1
            self._places.extend([0] * (int(document.trailer.Size) - 1))
            root, tree = document.Root.objgen, document.Root.Pages.objgen
            for thing in document.objects:
                if thing.objgen != root:
                    self._copy(thing, base, branch=thing.objgen == tree)
            self._kids.append(b"%d 0 R" % (tree[0] + base))
            self.pages += len(document.pages)
            if not self._intents and "/OutputIntents" in document.Root:
                intents = document.Root.OutputIntents.unparse()
                self._intents = b"/OutputIntents " + _renumbered(intents, base)

    def finish(self) -> None:
        """Page tree, catalog, cross-reference table."""
        kids = b" ".join(self._kids)
        self._object(_PAGES, b"<< /Type /Pages /Count %d /Kids [%b] >>" % (self.pages, kids))
        self._object(_CATALOG, b"<< /Type /Catalog /Pages %d 0 R %b >>" % (_PAGES, self._intents))
        start, size = self._length, len(self._places)
        identity = self._hash.hexdigest()[:32].encode()
        self._write(b"xref\n0 %d\n0000000000 65535 f \n" % size)
        for place in self._places[1:]:
            self._write(b"%010d 00000 n \n" % place if place else b"0000000000 65535 f \n")
        self._write(
            b"trailer\n<< /Size %d /Root %d 0 R /ID [<%b><%b>] >>\nstartxref\n%d\n%%%%EOF\n"
            % (size, _CATALOG, identity, identity, start)
        )

    def _copy(self, thing: pikepdf.Object, base: int, *, branch: bool) -> None:
        if isinstance(thing, pikepdf.Stream):
            raw = thing.read_raw_bytes()
            head = _renumbered(thing.stream_dict.unparse(resolved=True), base)
            body = b"%b\nstream\n%b\nendstream" % (head, raw)
        else:
            body = _renumbered(thing.unparse(resolved=True), base)
            if branch:
                body = b"<< /Parent %d 0 R %b" % (_PAGES, body.removeprefix(b"<<"))
        self._object(thing.objgen[0] + base, body)

    def _object(self, number: int, body: bytes) -> None:
        self._places[number] = self._length
        self._write(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    def _write(self, content: bytes) -> None:
        self._file.write(content)
        self._hash.update(content)
        self._length += len(content)


def _renumbered(spelling: bytes, base: int) -> bytes:
    """The object with its references `base` higher."""

    def shifted(found: re.Match[bytes]) -> bytes:
        return b"%d 0 R" % (int(found[1]) + base) if found[1] else found[0]

    return _STRING_OR_REFERENCE.sub(shifted, spelling)
