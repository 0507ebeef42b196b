"""The data folder of one machine: private, owned by one process, every file's name in one place."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.stores.embedded.opening import sync_folder
from domain.errors import PermanentError

LOCK: Final = "owner.lock"
TRUTH: Final = "truth.sqlite"
ANCHORS: Final = "anchors.ndjson"
#: Key files; in the services profile a folder of their own holds them for all processes.
WRAPPING_KEY: Final = "wrapping.key"
INDEX_KEY: Final = "index.key"
TOKEN_KEY: Final = "token.key"  # noqa: S105 - a file's name
REQUEST_KEY: Final = "request.key"
SIGNING_KEY: Final = "signing.key"


@dataclass(frozen=True, slots=True)
class DataFolder:
    """A claimed folder; it belongs to this process until `release` or the process's end."""

    root: Path
    _lock: int

    @classmethod
    def claim(cls, root: Path) -> "DataFolder":
        """
        Take the folder for this process, making it when it is not there.

        Raises:
            PermanentError: another process has it, or it holds files that are not ours.
        """
        _prepare(root)
        handle = os.open(root / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(handle)
            raise PermanentError(
                f"{root} is in use by process {owner}: one process owns a data folder; "
                "ask that one over HTTP, or name another folder with --data"
            ) from error
        os.ftruncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        sync_folder(root)
        return cls(root, handle)

    def release(self) -> None:
        """Let another process take the folder; close its files first."""
        # The lock goes with the handle. The file stays: two processes must meet at one inode.
        os.close(self._lock)

    @property
    def truth(self) -> Path:
        """The store of truth."""
        return self.root / TRUTH

    @property
    def keyspaces(self) -> Path:
        """The projection that Keyspaces holds in the cloud."""
        return self.root / "keyspaces.sqlite"

    @property
    def dynamodb(self) -> Path:
        """The projection that DynamoDB holds in the cloud."""
        return self.root / "dynamodb.sqlite"

    @property
    def stream(self) -> Path:
        """The event stream."""
        return self.root / "stream.sqlite"

    @property
    def person_keys(self) -> Path:
        """The wrapped person keys; in no backup of the rest."""
        return self.root / "person-keys.sqlite"

    @property
    def wrapping_key(self) -> Path:
        """The key-encryption key."""
        return self.root / WRAPPING_KEY

    @property
    def anchors(self) -> Path:
        """Where the ledger's lanes stood, unless the settings name a place elsewhere."""
        return self.root / ANCHORS

    @property
    def signing_key(self) -> Path:
        """The key that evidence packs are signed with."""
        return self.root / SIGNING_KEY

    @property
    def token_key(self) -> Path:
        """The key that access tokens are signed with."""
        return self.root / TOKEN_KEY


def _prepare(root: Path) -> None:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (root / LOCK).exists() and any(root.iterdir()):
        raise PermanentError(f"{root} holds files that are not ours: name an empty folder")
    root.chmod(0o700)
    sync_folder(root.parent)
