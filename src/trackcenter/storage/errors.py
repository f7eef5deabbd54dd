"""What can go wrong with stored files, besides that there is none (`kit.errors.NotFound`)."""

from trackcenter.kit.errors import Sentence, TrackCenterError


class DamagedBlob(TrackCenterError):
    """A stored file no longer has the content it was saved with."""

    status = 500
    title = "Damaged file"

    def __init__(self, sha256: str) -> None:
        words = f"the stored file {sha256} is damaged: restore it from a backup"
        super().__init__(Sentence(words, "fileDamaged", sha256=sha256))
        self.sha256 = sha256


class StorageUnavailable(TrackCenterError, OSError):
    """The place of the files does not answer, or refuses us; `mend` says what to look at.

    The message names settings and nothing else, so that it may be shown to anybody; `mend` is for
    the administrator. It is an OSError because to whoever saves a file it is what a full disk is.
    """

    status = 503
    title = "Files are out of reach"

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(Sentence(what, "storageAway"))
        self.what = what
        self.mend = mend

    def __str__(self) -> str:
        return self.what


class NoContainer(StorageUnavailable):
    """The account answers and lets us in, but the container was never made, or is gone."""
