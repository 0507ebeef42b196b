"""
What the model stores say when something goes wrong; adapters over them translate.

ModelStoreError
    LostConnectionError     outcome unknown; the connection is gone
    LockWaitError           the statement is undone, the transaction stays open
    DeadlockError           the whole transaction is undone
    DuplicateKeyError       the statement is undone, the transaction stays open
    CheckViolationError     the statement is undone, the transaction stays open
    UnavailableError        a stream or projection store: outcome unknown
    ThrottledError          any store: nothing happened, the connection stays usable
"""


class ModelStoreError(Exception):
    """Base of everything that a model store reports on purpose."""


class LostConnectionError(ModelStoreError):
    """The connection is gone; whether the last statement took effect is unknown."""


class LockWaitError(ModelStoreError):
    """Another transaction held a lock for too long (MySQL 1205)."""


class DeadlockError(ModelStoreError):
    """Transactions waited for one another in a circle and this one was chosen (MySQL 1213)."""


class DuplicateKeyError(ModelStoreError):
    """A row with this key exists (MySQL 1062)."""

    def __init__(self, key_name: str) -> None:
        super().__init__(key_name)
        self.key_name = key_name


class CheckViolationError(ModelStoreError):
    """A row breaks a CHECK of its table (MariaDB 4025)."""

    def __init__(self, check_name: str) -> None:
        super().__init__(check_name)
        self.check_name = check_name


class UnavailableError(ModelStoreError):
    """The store did not answer; whether the call took effect is unknown."""


class ThrottledError(ModelStoreError):
    """The store refused the call, so nothing happened; call again later."""
