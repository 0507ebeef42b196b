"""
Make `.venv` on a machine that has only Python: fetch a pinned uv, let it install the locked set.

Standard library only, and written for any Python from 3.9 on, so that an old one can still say
which one is needed. Nothing is downloaded when nothing changed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import ssl
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tools.package_index import PUBLIC_INDEX, BootstrapError, configured_index, download, find_link

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
VENV = ROOT / ".venv"
STAMP = VENV / ".installed"
INPUTS = ("pyproject.toml", "uv.lock", "tools/bootstrap.py", "tools/package_index.py")

UV_VERSION = "0.13.9"
# Wheel tag and SHA-256 by system, machine and C library, as published with that version.
UV_WHEELS = {
    ("Linux", "x86_64", "gnu"): (
        "manylinux_2_17_x86_64.manylinux2014_x86_64",
        "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    ),
    ("Linux", "x86_64", "musl"): (
        "musllinux_1_1_x86_64",
        "2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25",
    ),
    ("Linux", "aarch64", "gnu"): (
        "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
        "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
    ),
    ("Linux", "aarch64", "musl"): (
        "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
        "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
    ),
    ("Darwin", "arm64", ""): (
        "macosx_11_0_arm64",
        "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63",
    ),
    ("Darwin", "x86_64", ""): (
        "macosx_10_12_x86_64",
        "c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5",
    ),
}

OLDEST = (3, 11)
NEWEST_TRIED = (3, 14)
CANDIDATES = ("python3", "python3.14", "python3.13", "python3.12", "python3.11")
# The base executable: a virtual environment made from another one would break with it.
ASK = "import sys as s; print(*s.version_info[:2], getattr(s, '_base_executable', s.executable))"


def main() -> int:
    """Bring `.venv` up to date; return the exit code."""
    TOOLS.mkdir(exist_ok=True)
    try:
        with (TOOLS / "lock").open("w") as lock:
            # Two `make` at once must not install into each other.
            fcntl.flock(lock, fcntl.LOCK_EX)
            install()
    except (BootstrapError, subprocess.CalledProcessError, OSError) as error:
        print(f"install: {error}", file=sys.stderr)
        return 1
    return 0


def install() -> None:
    """Install what pyproject.toml and uv.lock ask for, unless it is there already."""
    wanted = fingerprint()
    found = STAMP.read_text() if STAMP.exists() else ""
    if found == wanted and (VENV / "bin" / "python").exists():
        return
    python = find_python()
    # Scripts hold the absolute path of the folder, so a moved one starts afresh.
    if found.partition("\n")[0] != str(ROOT) or not (VENV / "bin" / "python").exists():
        shutil.rmtree(VENV, ignore_errors=True)
    sync(ensure_uv(), python)
    STAMP.write_text(wanted)


def fingerprint() -> str:
    """Return the folder's path and a hash over everything that decides what gets installed."""
    digest = hashlib.sha256()
    for name in INPUTS:
        digest.update((ROOT / name).read_bytes())
    return f"{ROOT}\n{digest.hexdigest()}\n"


def find_python() -> str:
    """
    Return the path of the interpreter to use; one of the tried versions if there is one.

    Raises:
        BootstrapError: none is new enough.
    """
    found = [probed for name in (sys.executable, *CANDIDATES) if (probed := probe(name))]
    usable = [each for each in found if each[0] >= OLDEST]
    tried = [each for each in usable if each[0] <= NEWEST_TRIED]
    for _, path in tried or usable:
        return path
    seen = ", ".join(sorted({f"{major}.{minor}" for (major, minor), _ in found})) or "none"
    raise BootstrapError(
        f"this needs Python {OLDEST[0]}.{OLDEST[1]} or newer as python3 or python3.NN on the PATH "
        f"(found: {seen}). Debian, Ubuntu: apt-get install python3; macOS: brew install python"
    )


def probe(name: str) -> tuple[tuple[int, int], str] | None:
    """Return version and real path of an interpreter, or None if it does not run."""
    path = shutil.which(name) if name else None
    if path is None:
        return None
    # A pyenv shim exists for versions that are not switched on, and fails when run.
    answer = subprocess.run([path, "-c", ASK], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        return None
    major, minor, executable = answer.stdout.strip().split(" ", 2)
    return (int(major), int(minor)), executable


def ensure_uv() -> Path:
    """Return the pinned uv, downloading it when it is not there."""
    uv = TOOLS / f"uv-{UV_VERSION}" / "uv"
    if uv.exists():
        return uv
    tag, sha256 = wheel_of_this_machine()
    name = f"uv-{UV_VERSION}-py3-none-{tag}.whl"
    print(f"install: fetching uv {UV_VERSION}", file=sys.stderr)
    content = download(find_link(configured_index(), "uv", name))
    if hashlib.sha256(content).hexdigest() != sha256:
        raise BootstrapError(f"{name} does not have the pinned SHA-256; not using it")
    unpack(content, uv)
    return uv


def wheel_of_this_machine() -> tuple[str, str]:
    """Return tag and SHA-256 of the wheel that runs here."""
    system, machine = platform.system(), platform.machine()
    libc = ""
    if system == "Linux":
        libc = "gnu" if platform.libc_ver()[0] == "glibc" else "musl"
        machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(machine, machine)
    wheel = UV_WHEELS.get((system, machine, libc))
    if wheel is None:
        raise BootstrapError(f"no uv is pinned for {system} {machine} {libc}".rstrip())
    return wheel


def unpack(wheel: bytes, target: Path) -> None:
    """Write the uv program of a wheel to `target`, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TOOLS) as folder:
        archive = Path(folder) / "uv.whl"
        archive.write_bytes(wheel)
        with zipfile.ZipFile(archive) as opened:
            inside = next(n for n in opened.namelist() if n.endswith(".data/scripts/uv"))
            program = Path(opened.extract(inside, folder))
        program.chmod(0o755)
        program.replace(target)


def sync(uv: Path, python: str) -> None:
    """Install the locked set, and the project itself in place."""
    environment = uv_environment()
    common = ["--project", str(ROOT), "--python", python]
    if configured_index() == PUBLIC_INDEX:
        run([str(uv), "sync", "--locked", *common], environment)
        return
    # The lock names the public index. Another one serves the same files under other addresses:
    # the hashes of the lock stay, only the addresses change.
    with tempfile.TemporaryDirectory(dir=TOOLS) as folder:
        listed = str(Path(folder) / "requirements.txt")
        export = ["export", "--frozen", "--quiet", "--no-emit-project", "--output-file", listed]
        run([str(uv), *export, *common], environment)
        run([str(uv), "venv", "--allow-existing", "--python", python, str(VENV)], environment)
        into = ["--python", str(VENV / "bin" / "python")]
        run([str(uv), "pip", "sync", "--require-hashes", *into, listed], environment)
        editable = ["--no-deps", "--editable", str(ROOT)]
        run([str(uv), "pip", "install", *into, *editable], environment)


def run(command: list[str], environment: dict[str, str]) -> None:
    """Run one command in the repository; a failure stops the installation."""
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdin=subprocess.DEVNULL)


def uv_environment() -> dict[str, str]:
    """Return the environment for uv: our folder, this machine's Python, the configured index."""
    environment = dict(os.environ)
    # An active virtual environment of the caller is not ours.
    environment.pop("VIRTUAL_ENV", None)
    environment.pop("UV_INDEX_URL", None)
    environment["UV_PROJECT_ENVIRONMENT"] = str(VENV)
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    environment["UV_DEFAULT_INDEX"] = configured_index()
    paths = ssl.get_default_verify_paths()
    if paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())):
        # A company's own certificate authority is in the system's store, not in uv's.
        environment.setdefault("UV_SYSTEM_CERTS", "true")
    return environment


if __name__ == "__main__":
    sys.exit(main())
