"""
The package index that this machine is set up for, and downloads from it.

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import base64
import configparser
import html.parser
import json
import os
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

PUBLIC_INDEX = "https://pypi.org/simple"
DOWNLOAD_TRIES = 4
DOWNLOAD_TIMEOUT_S = 60
HTTP_TOO_MANY = 429
HTTP_SERVER_ERROR = 500


class BootstrapError(Exception):
    """The installation cannot go on; the message says what the reader can do."""


def configured_index() -> str:
    """Return the package index that this machine is set up for; the public one by default."""
    for variable in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        value = os.environ.get(variable, "").strip()
        if value:
            # uv allows NAME=URL.
            return value[value.find("=http") + 1 :].rstrip("/")
    for file in pip_files():
        parser = configparser.RawConfigParser()
        parser.read(file, encoding="utf-8")
        for section in ("install", "global"):
            value = parser.get(section, "index-url", fallback="").strip()
            if value:
                return value.rstrip("/")
    return PUBLIC_INDEX


def pip_files() -> list[Path]:
    """Return pip's configuration files, the one that wins first."""
    named = os.environ.get("PIP_CONFIG_FILE")
    return [Path(named), *system_files()] if named else system_files()


def system_files() -> list[Path]:
    """Return where pip looks by itself: the person's files before the machine's."""
    home = Path("~").expanduser()
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return [
        config / "pip" / "pip.conf",
        home / "Library" / "Application Support" / "pip" / "pip.conf",
        home / ".pip" / "pip.conf",
        Path("/etc/xdg/pip/pip.conf"),
        Path("/Library/Application Support/pip/pip.conf"),
        Path("/etc/pip.conf"),
    ]


def find_link(index: str, project: str, wheel: str) -> str:
    """Return the address of a wheel, from the index's page about it (PEP 503 or PEP 691)."""
    page = f"{index}/{project}/"
    content = download(page, accept="application/vnd.pypi.simple.v1+json, text/html;q=0.5")
    for link in links_of(content):
        address = urllib.parse.urljoin(page, link)
        if urllib.parse.unquote(urllib.parse.urlsplit(address).path).endswith(f"/{wheel}"):
            return with_secret_of(page, address)
    raise BootstrapError(f"{without_secret(page)} does not list {wheel}")


def links_of(page: bytes) -> list[str]:
    """Return the addresses that an index page lists, as they stand there."""
    if page.lstrip().startswith(b"{"):
        return [str(each["url"]) for each in json.loads(page)["files"]]
    reader = LinkReader()
    reader.feed(page.decode())
    return reader.links


class LinkReader(html.parser.HTMLParser):
    """Collects the addresses of an index page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where an anchor leads."""
        self.links += [value for key, value in attrs if tag == "a" and key == "href" and value]


def download(url: str, accept: str = "*/*") -> bytes:
    """
    Return what is behind an address, trying again when the network hiccups.

    Raises:
        BootstrapError: it cannot be had.
    """
    last: Exception | None = None
    for attempt in range(DOWNLOAD_TRIES):
        if attempt:
            time.sleep(2**attempt)
        try:
            return fetch(url, accept)
        except urllib.error.HTTPError as error:
            last = error
            if error.code < HTTP_SERVER_ERROR and error.code != HTTP_TOO_MANY:
                break
        except OSError as error:
            last = error
    raise BootstrapError(f"cannot download {without_secret(url)}: {last}")


def fetch(url: str, accept: str) -> bytes:
    """Return what is behind an address, in one try."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise BootstrapError(f"a package index is behind http or https, not {parts.scheme}")
    request = urllib.request.Request(without_secret(url), headers={"Accept": accept})  # noqa: S310 - checked above
    if parts.username:
        pair = urllib.parse.unquote(f"{parts.username}:{parts.password or ''}")
        word = base64.b64encode(pair.encode()).decode()
        # Unredirected: a mirror may send the reader on to somebody else's host.
        request.add_unredirected_header("Authorization", f"Basic {word}")
    try:
        return read(request, ssl.create_default_context())
    except urllib.error.URLError as error:
        unknown_issuer = isinstance(error.reason, ssl.SSLCertVerificationError)
        if not unknown_issuer or parts.username or os.environ.get("SSL_CERT_FILE"):
            raise
    return read(request, unverified_context())


def unverified_context() -> ssl.SSLContext:
    """
    Return a context for a machine that knows no certificate authority, as a bare Debian does.

    What proves the wheel is its pinned hash, and nothing secret is sent; uv brings its own
    certificates for everything after it.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def read(request: urllib.request.Request, context: ssl.SSLContext) -> bytes:
    """Send one request and return its whole body."""
    wait = DOWNLOAD_TIMEOUT_S
    with urllib.request.urlopen(request, timeout=wait, context=context) as reply:  # noqa: S310 - checked by fetch
        body: bytes = reply.read()
    return body


def with_secret_of(page: str, url: str) -> str:
    """Return an address with the user name and password of its page, if the host is the same."""
    secret, _, host = urllib.parse.urlsplit(page).netloc.rpartition("@")
    parts = urllib.parse.urlsplit(url)
    if not secret or parts.netloc != host:
        return url
    return urllib.parse.urlunsplit(parts._replace(netloc=f"{secret}@{host}"))


def without_secret(url: str) -> str:
    """Return an address without user name and password."""
    parts = urllib.parse.urlsplit(url)
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
