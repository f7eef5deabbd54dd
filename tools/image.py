"""Make what an image holds: `python -m tools.image packages|project FOLDER`. See the Dockerfile.

By the same locked packages and the same uv as `./track`, but into a folder that needs nothing
beside it: no sources, no Node, nothing for development. Standard library only.

`packages` makes the environment with what `requirements/runtime.txt` names, and seldom changes;
`project` builds the screen and the package and puts it there.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools import bootstrap

USAGE = "usage: python -m tools.image packages|project FOLDER"


def main(arguments: Sequence[str]) -> int:
    """Do one of the two steps; 2 when it is neither."""
    match arguments:
        case ["packages", folder]:
            packages(Path(folder))
        case ["project", folder]:
            project(Path(folder))
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    return 0


def packages(folder: Path) -> None:
    """A new environment with exactly the packages that running needs, compiled."""
    uv = bootstrap.installer()
    _environment(uv, folder, "runtime")


def project(folder: Path) -> None:
    """Build the package, with Node in an environment that is thrown away, and install it."""
    uv = bootstrap.installer()
    with tempfile.TemporaryDirectory() as rough:
        building, wheels = Path(rough) / "env", Path(rough) / "wheels"
        _environment(uv, building, "build")
        options = ["--quiet", "--wheel", "--no-build-isolation", "--out-dir", str(wheels)]
        uv("build", *options, "--python", str(_python(building)), str(bootstrap.ROOT))
        [wheel] = wheels.glob("*.whl")
        options = ["--quiet", "--no-deps", "--compile-bytecode", "--python", str(_python(folder))]
        uv("pip", "install", *options, str(wheel))


def _environment(uv: bootstrap.Uv, folder: Path, requirements: str) -> None:
    uv("venv", "--quiet", "--no-project", "--no-config", "--python", sys.executable, str(folder))
    options = ["--quiet", "--require-hashes", "--compile-bytecode", "--python"]
    locked = bootstrap.REQUIREMENTS / f"{requirements}.txt"
    uv("pip", "sync", *options, str(_python(folder)), str(locked))


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
