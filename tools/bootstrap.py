"""Make the private environment in `.track/`, then hand over. Standard library only.

The steps, each skipped when its inputs did not change:

1. the pinned uv, fetched by whatever pip there is and checked by hash, into `.track/uv-…/`;
2. an environment in `.track/env/` with exactly the packages of `requirements/*.txt`;
3. the project itself, editable; building it builds `web/` (hatch_build.py).

A kill at any moment is repaired by the next run: what was done is noted inside the environment
only after it is complete, and an environment without its note is made anew. Two runs at once wait
for each other. Registries, mirrors and certificates are the user's: pip's and uv's own settings
are respected, none is made here.
"""

import ast
import contextlib
import fcntl
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from tools import web
from tools.fingerprint import fingerprint

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
PRIVATE = ROOT / ".track"
ENVIRONMENT = PRIVATE / "env"
NOTE = ENVIRONMENT / "set-up.json"
PYTHON = ENVIRONMENT / "bin" / "python"
# `./track check` and `./track test` run these instead of handing over to `trackcenter`.
DEVELOPMENT = {"check": "tools.check", "test": "tools.test"}

Note = dict[str, str]


def main(arguments: Sequence[str]) -> NoReturn:
    """Set up, then become `trackcenter ARGUMENTS`, or the driver of `check` or `test`."""
    name = arguments[0] if arguments else "--help"
    try:
        prepare(development=name in DEVELOPMENT)
    except subprocess.CalledProcessError as problem:
        sys.exit(
            f"track: setting up failed: {Path(problem.cmd[0]).name} ended with "
            f"{problem.returncode}, its own words stand above. Run the same again once mended."
        )
    except OSError as problem:
        sys.exit(f"track: setting up failed: {problem}")
    except KeyboardInterrupt:
        sys.exit("track: stopped; the next run goes on from here.")
    if name in DEVELOPMENT:
        os.chdir(ROOT)
        command = [str(PYTHON), "-m", DEVELOPMENT[name], *arguments[1:]]
    else:
        command = [str(ENVIRONMENT / "bin" / "trackcenter"), *(arguments or [name])]
    _keep_compiled()
    os.execv(command[0], command)  # noqa: S606


def _keep_compiled() -> None:
    """Have Python keep what it compiled, in `.track/` and not beside the sources.

    Where a machine's settings forbid it, every process of the demo and of the tests would compile
    all the packages anew: two thirds of what starting one costs.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(PRIVATE / "compiled")


def prepare(*, development: bool) -> None:
    """Bring the private environment up to date; `development` adds what check and test need.

    Raises `CalledProcessError` where a step fails and `OSError` where the disk does.
    """
    if _is_current(development):
        return
    with _lock():
        if _is_current(development):  # another run was faster
            return
        uv = Uv(_fetch_uv())
        # What was once added for tests stays, so that `./track demo` does not take it out again.
        wanted = _packages_wanted(development or "dev" in _note())
        if any(_note().get(key) != value for key, value in wanted.items()):
            _install_packages(uv, wanted)
        _install_project(uv)


def _is_current(development: bool) -> bool:
    wanted = _packages_wanted(development) | _project_wanted()
    note = _note()
    return all(note.get(key) == value for key, value in wanted.items()) and web.is_built()


def _packages_wanted(development: bool) -> Note:
    files = ["runtime", "build", *(["dev"] if development else [])]
    hashes = {name: fingerprint([_requirements(name)], root=ROOT) for name in files}
    return {"python": f"{_base_python()} {sys.version}"} | hashes


def _project_wanted() -> Note:
    files = [ROOT / "pyproject.toml", ROOT / "hatch_build.py"]
    return {"project": fingerprint(files, root=ROOT)}


def _requirements(name: str) -> Path:
    return REQUIREMENTS / f"{name}.txt"


def _base_python() -> str:
    """The interpreter behind a virtual environment that ./track may be run from."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


# --- the steps ---------------------------------------------------------------------------------


def installer() -> "Uv":
    """The pinned uv, fetched if it is not there yet."""
    PRIVATE.mkdir(exist_ok=True)
    return Uv(_fetch_uv())


def _fetch_uv() -> Path:
    folder = PRIVATE / f"uv-{fingerprint([_requirements('uv')], root=ROOT)[:12]}"
    program = folder / "bin" / "uv"
    if not program.exists():
        _say("first set-up: this downloads for a minute or two.")
        partial = PRIVATE / "uv.partial"
        shutil.rmtree(partial, ignore_errors=True)
        with _step("the installer"):
            options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
            options += ["--only-binary=:all:", f"--target={partial}"]
            _run(*_pip(), "install", *options, "-r", str(_requirements("uv")), env=_pip_settings())
        for outdated in PRIVATE.glob("uv-*"):
            shutil.rmtree(outdated)
        partial.rename(folder)
    return program


def _install_packages(uv: "Uv", wanted: Note) -> None:
    keep = _note().get("python") == wanted["python"]
    NOTE.unlink(missing_ok=True)
    if not keep:
        with _step("the environment"):
            options = ["--quiet", "--no-project", "--clear", "--force", "--no-config"]
            uv("venv", *options, "--python", _base_python(), str(ENVIRONMENT))
    with _step("the packages"):
        files = [str(_requirements(name)) for name in wanted if name != "python"]
        uv("pip", "sync", "--quiet", "--require-hashes", "--python", str(PYTHON), *files)
    _write_note(wanted)


def _install_project(uv: "Uv") -> None:
    done = _note()
    done.pop("project", None)
    _write_note(done)
    with _step("the web part"):
        options = ["--quiet", "--no-deps", "--no-build-isolation", "--reinstall"]
        uv("pip", "install", *options, "--python", str(PYTHON), "--editable", str(ROOT))
    _write_note(done | _project_wanted())


class Uv:
    """The pinned uv with the user's registry settings, which it reads in its own dialect only."""

    def __init__(self, program: Path) -> None:
        self._program = str(program)
        self._env = _uv_settings()

    def __call__(self, *arguments: str) -> None:
        _run(self._program, *arguments, env=self._env)


# --- pip and its settings ----------------------------------------------------------------------


def _pip() -> list[str]:
    """A pip command, of this Python if it has one; the venv module makes one otherwise."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        helper = PRIVATE / "pip"
        python = helper / "bin" / "python"
        if not (helper / "complete").exists():
            _run(sys.executable, "-m", "venv", "--clear", str(helper))
            (helper / "complete").touch()
        return [str(python), "-m", "pip"]
    elsewhere = shutil.which("pip3") or shutil.which("pip")
    if elsewhere:
        return [elsewhere]
    raise SystemExit(
        f"track: {sys.executable} has neither pip nor the venv module. Install one of them, "
        "on Debian and Ubuntu with: apt install python3-venv"
    )


def _pip_settings() -> dict[str, str]:
    """For `pip install --target`: a configured `user = true` would refuse it."""
    ours = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_ROOT_USER_ACTION": "ignore"}
    return {**os.environ, **ours}


def _uv_settings() -> dict[str, str]:
    """The environment for uv: the mirror and certificates that pip was told of, if uv was not."""
    told = {}
    words = subprocess.run([*_pip(), "config", "list"], capture_output=True, text=True, check=False)
    # One `level.name='value'` a line; a user's level overrides the global one, the environment all.
    for level in ("global.", "install.", ":env:."):
        for line in words.stdout.splitlines():
            name, _, value = line.removeprefix(level).partition("=")
            if line.startswith(level):
                told[name] = str(ast.literal_eval(value))
    settings = {"UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "1"}
    if "cert" in told:
        settings |= {"SSL_CERT_FILE": told["cert"], "NODE_EXTRA_CA_CERTS": told["cert"]}
    if "index-url" in told and "UV_INDEX_URL" not in os.environ:
        settings["UV_DEFAULT_INDEX"] = told["index-url"]
    return {**settings, **os.environ, "UV_PYTHON_DOWNLOADS": "never"}


# --- small things ------------------------------------------------------------------------------


def _note() -> Note:
    """What the environment was made from; empty when it is not complete."""
    try:
        note: Note = json.loads(NOTE.read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return note if PYTHON.exists() else {}


def _write_note(note: Note) -> None:
    partial = NOTE.with_suffix(".partial")
    partial.write_text(json.dumps(note))
    partial.replace(NOTE)


@contextlib.contextmanager
def _lock() -> Iterator[None]:
    PRIVATE.mkdir(exist_ok=True)
    with (PRIVATE / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another ./track that is setting up.")
            fcntl.flock(file, fcntl.LOCK_EX)
        # Held by the programs we start, too: should only we be killed, the next run waits for them.
        os.set_inheritable(file.fileno(), True)
        yield


@contextlib.contextmanager
def _step(name: str) -> Iterator[None]:
    started = time.monotonic()
    _say(f"setting up {name} …")
    yield
    _say(f"setting up {name} took {time.monotonic() - started:.1f} s")


def _run(*command: str, env: dict[str, str] | None = None) -> None:
    """Run one program; its standard output goes to ours for messages, so that ours stays clean."""
    subprocess.run(
        command,
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        close_fds=False,  # the lock is theirs as well
        check=True,
    )


def _say(words: str) -> None:
    print(f"track: {words}", file=sys.stderr, flush=True)
