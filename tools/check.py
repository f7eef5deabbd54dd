"""`./track check`: everything that can be said about the code without running it."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools import lints, web
from tools.steps import ROOT, Step, run_all

PYTHON = sys.executable
PROGRAMS = Path(PYTHON).parent
# Written in two halves, so that this file does not name them either.
REGISTRIES = tuple(
    ".".join(halves)
    for halves in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb.debian", "org"),
        ("mcr.microsoft", "com"),
    )
)
# makemigrations looks at a database only to warn; nobody listens here, so it answers at once.
NO_DATABASE = "postgresql://nobody@127.0.0.1:1/none?connect_timeout=1"


def steps() -> list[Step]:
    """The steps, the longest first so that the others run beside it."""
    migrations = [PYTHON, "-W", "ignore", "-m", "django", "makemigrations", "--skip-checks"]
    concise = ["--output-format=concise"]
    django = {
        "DJANGO_SETTINGS_MODULE": "trackcenter.config.settings",
        "TRACKCENTER_DATABASE_URL": NO_DATABASE,
    }
    return [
        Step("types (mypy)", [str(PROGRAMS / "mypy"), "--no-error-summary"]),
        _npm("web types", "types"),
        _npm("web lint", "lint"),
        Step("lint (ruff)", [str(PROGRAMS / "ruff"), "check", "--quiet", *concise]),
        Step("format (ruff)", [str(PROGRAMS / "ruff"), "format", "--check", "--quiet", *concise]),
        Step("house rules", function=lambda: [str(each) for each in lints.check_tree(ROOT)]),
        Step("migrations", [*migrations, "--check", "--dry-run"], environment=django),
        Step("no registry named", function=lambda: registries_named(repository_files())),
        Step(
            "npm locks complete, without addresses",
            function=lambda: lock_file_faults(repository_files()),
        ),
    ]


def registries_named(files: Iterable[Path]) -> list[str]:
    """Places in `files` that name a package registry's host."""
    return [
        f"{_shown(file)}:{number}: names the registry {host}"
        for file in files
        for number, line in enumerate(_lines(file), start=1)
        for host in REGISTRIES
        if host in line
    ]


def lock_file_faults(files: Iterable[Path]) -> list[str]:
    """What is wrong with the npm locks among `files`: an address, or something not pinned."""
    faults = []
    for file in files:
        if file.name == "package-lock.json":
            packages = json.loads(file.read_text())["packages"]
            names = {path.rpartition("node_modules/")[2] for path in packages}
            for path, package in packages.items():
                at = f"{_shown(file)}: {path}"
                if "resolved" in package:
                    faults.append(f"{at} records an address; run python -m tools.lock")
                elif path and not {"version", "integrity"} <= package.keys():
                    faults.append(f"{at} is not pinned; run python -m tools.lock")
                # npm leaves out what its registry does not have, and `npm ci` then refuses.
                missing = sorted(set(package.get("optionalDependencies", {})) - names)
                faults += [f"{at} lacks {name}; pin a version that has it" for name in missing]
    return faults


def repository_files() -> Iterator[Path]:
    """Every file that is in git or could be added to it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            yield ROOT / name


def _shown(file: Path) -> Path:
    return file.relative_to(ROOT) if file.is_relative_to(ROOT) else file


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except UnicodeDecodeError:  # a picture or a font
        return []


def _npm(name: str, script: str) -> Step:
    command = web.npm_command("run", "--silent", script)
    return Step(name, command, folder=web.WEB, environment=web.environment())


def main() -> int:
    """Run all steps on two cores; 1 when one failed."""
    web.install()
    return 0 if run_all(steps(), at_once=2) else 1


if __name__ == "__main__":
    sys.exit(main())
