"""
Programs that the servers are made of, fetched once into a cache of the user.

Debian packages are unpacked there, not installed: nothing on the machine changes, and nobody has to
be root. The cache is `$XDG_CACHE_HOME/credit-platform`, else `~/.cache/credit-platform`.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

POM: Final = """<project><modelVersion>4.0.0</modelVersion><groupId>tests</groupId>
<artifactId>services</artifactId><version>1</version><dependencies><dependency>
<groupId>{0}</groupId><artifactId>{1}</artifactId><version>{2}</version></dependency></dependencies>
</project>
"""
LIMIT_S: Final = 600


class MissingError(Exception):
    """Something that only a person can put on this machine is not there."""


def apt(*packages: str) -> Path:
    """
    Return a folder that holds these Debian packages, with what they need and the machine has not.

    Raises:
        MissingError: this machine has no apt, or apt knows no such package.
    """
    _tool("apt-get", "a Debian or Ubuntu machine, or these programs on the PATH")
    return _made(f"apt-{'-'.join(packages)}", lambda folder: _unpack(packages, folder))


def maven(group: str, artifact: str, version: str) -> Path:
    """Return a folder with the jar files of a Java program."""
    _tool("mvn", "Maven (Debian: apt-get install maven)")

    def fetch(folder: Path) -> None:
        (folder / "pom.xml").write_text(POM.format(group, artifact, version))
        goal = ("dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=lib")
        run(("mvn", "-q", "-B", *goal), folder)

    return _made(f"maven-{artifact}-{version}", fetch) / "lib"


def npm(name: str, version: str) -> Path:
    """Return the folder of a Node program."""
    _tool("npm", "Node with npm (Debian: apt-get install npm)")

    def fetch(folder: Path) -> None:
        run(("npm", "install", "--silent", "--no-audit", "--no-fund", f"{name}@{version}"), folder)

    return _made(f"npm-{name}-{version}", fetch) / "node_modules" / name


def java() -> str:
    """Return the Java program."""
    return _tool("java", "Java 17 (Debian: apt-get install openjdk-17-jdk-headless)")


def node() -> str:
    """Return the Node program."""
    return _tool("node", "Node 18 or newer (Debian: apt-get install nodejs)")


def compiled(source: Path, classpath: str) -> Path:
    """Return a folder with the classes of one Java source."""
    _tool("javac", "a Java 17 compiler (Debian: apt-get install openjdk-17-jdk-headless)")
    mark = hashlib.sha256(source.read_bytes() + classpath.encode()).hexdigest()[:16]
    command = ("javac", "-cp", classpath, "-d", ".", str(source))
    return _made(f"java-{source.stem}-{mark}", lambda folder: run(command, folder))


def libraries(prefix: Path) -> dict[str, str]:
    """Return the environment in which an unpacked program finds its libraries."""
    found = sorted({str(path.parent) for path in prefix.glob("usr/lib/*/*.so*")})
    return {"LD_LIBRARY_PATH": ":".join(found)} if found else {}


def cache() -> Path:
    """Return the folder of the cache."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "credit-platform" / "services"


def _made(name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of this name, made whole or not at all, by one process at a time."""
    folder = cache() / name
    if folder.is_dir():
        return folder
    with _alone(name):
        if not folder.is_dir():
            unfinished = folder.with_name(f"{name}.part")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder)
    return folder


@contextmanager
def _alone(name: str) -> Iterator[None]:
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _unpack(packages: Sequence[str], folder: Path) -> None:
    archives = folder / "archives"
    (archives / "partial").mkdir(parents=True)
    options = (f"Dir::Cache::archives={archives}", "Debug::NoLocking=1", "APT::Sandbox::User=")
    flags = [part for option in options for part in ("-o", option)]
    # --reinstall: what the machine has already is fetched as well, so that the cache is whole.
    wanted = ("install", "-y", "--download-only", "--no-install-recommends", "--reinstall")
    try:
        run(("apt-get", *wanted, *flags, *packages), folder)
    except MissingError:
        # The machine's own lists of packages are old, or were never fetched.
        lists = folder / "lists"
        (lists / "partial").mkdir(parents=True)
        flags += ["-o", f"Dir::State::lists={lists}"]
        run(("apt-get", "update", *flags), folder)
        run(("apt-get", *wanted, *flags, *packages), folder)
        shutil.rmtree(lists)
    for package in sorted(archives.glob("*.deb")):
        run(("dpkg-deb", "-x", str(package), str(folder)), folder)
    shutil.rmtree(archives)


def _tool(name: str, remedy: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise MissingError(f"{name} is not on the PATH: this needs {remedy}")
    return found


def run(command: Sequence[str], folder: Path, more: Mapping[str, str] | None = None) -> None:
    """
    Run a program in a folder, with `more` in its environment.

    Raises:
        MissingError: it failed; with the end of what it said.
    """
    environment = {**os.environ, **(more or {})}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT_S,
        check=False,
    )  # fmt: skip
    if done.returncode:
        tail = (done.stdout + done.stderr).strip()[-2000:]
        raise MissingError(f"{' '.join(command[:3])} … failed ({done.returncode}): {tail}")
