import subprocess
import sys
from datetime import date
from pathlib import Path

import pikepdf
import pytest

from tests.channels.letter.reading import text_of
from tests.channels.samples import SENDER, bill
from trackcenter.channels.documents.merge import merge
from trackcenter.channels.letter import RenderedLetter, render_letter


def letter(unit: int) -> RenderedLetter:
    return render_letter(bill(unit=str(unit)), sender=SENDER, issued_on=date(2025, 10, 20))


def test_letters_are_merged_in_their_order(tmp_path: Path) -> None:
    letters = [letter(unit) for unit in (3, 1, 2)]
    file = tmp_path / "1.pdf"
    file.write_bytes(letters[1].pdf)
    assert merge([letters[0].pdf, file, letters[2].pdf], tmp_path / "run.pdf") == 3
    text = text_of((tmp_path / "run.pdf").read_bytes())
    places = [text.index(letter.document_code) for letter in letters]
    assert places == sorted(places)
    assert not list(tmp_path.glob(".run.pdf-*"))


def test_the_same_letters_give_the_same_bytes(tmp_path: Path) -> None:
    pdf = letter(1).pdf
    merge([pdf] * 3, tmp_path / "a.pdf")
    merge(iter([pdf] * 3), tmp_path / "b.pdf")
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_a_print_file_keeps_fonts_and_colours_and_is_sound(tmp_path: Path) -> None:
    merge([letter(unit).pdf for unit in range(3)], tmp_path / "run.pdf")
    with pikepdf.open(tmp_path / "run.pdf") as run:
        assert not run.check_pdf_syntax()
        assert len(run.Root.OutputIntents) == 1
        assert all("/StructParents" not in page for page in run.pages)


def test_a_broken_letter_is_named_by_its_place(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="document 2 "):
        merge([letter(1).pdf, b"no pdf"], tmp_path / "run.pdf")
    with pytest.raises(ValueError, match="no documents"):
        merge([], tmp_path / "run.pdf")
    assert not list(tmp_path.iterdir())


def test_300_letters_are_merged_in_little_memory(tmp_path: Path) -> None:
    """In a process of its own, given letters one at a time: it must not keep them."""
    source = tmp_path / "letter.pdf"
    source.write_bytes(letter(1).pdf)
    program = f"""
import resource, sys
sys.path[:0] = {sys.path!r}
from pathlib import Path
from trackcenter.channels.documents.merge import merge
def letters(count):
    for _ in range(count):
        yield Path({str(source)!r}).read_bytes()
merge(letters(100), Path({str(tmp_path / "warm.pdf")!r}))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert merge(letters(300), Path({str(tmp_path / "run.pdf")!r})) == 300
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=100
    )
    # Kilobytes; the 300 letters themselves are twelve thousand.
    assert int(ran.stdout) < 12_000
