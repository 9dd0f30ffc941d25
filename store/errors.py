"""What can go wrong, in words a user can act on. The docstring is the message."""


class ParkwattError(Exception):
    """Parkwatt could not do what was asked."""

    def __init__(self, detail: str = "") -> None:
        words = (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__(f"{words.rstrip('.')}: {detail}" if detail else words)


class DatabaseAway(ParkwattError):
    """The database cannot work now; what was asked may work later."""


class DatabaseUnreachable(DatabaseAway):
    """The database cannot be reached; see `parkwatt doctor`."""


class DatabaseRefused(ParkwattError):
    """The database refused the data: a value is out of bounds or names nothing."""


class DatabaseFault(DatabaseAway):
    """The database could not do what was asked, whatever the data."""


class MigrationChanged(ParkwattError):
    """A migration that was already applied has been edited; add a new one instead."""


class SchemaMissing(DatabaseAway):
    """The database has no Parkwatt schema or an older one; run `parkwatt migrate`."""


class Unknown(ParkwattError):
    """There is no such thing."""


class Invalid(ParkwattError):
    """The input cannot be used."""


class SettingInvalid(ParkwattError):
    """A setting has a value that cannot be used."""
