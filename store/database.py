"""Connections, and the one place where driver errors become ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg_pool import ConnectionPool

from store.errors import (
    DatabaseFault,
    DatabaseRefused,
    DatabaseUnreachable,
    SchemaMissing,
)

Connection: TypeAlias = psycopg.Connection[tuple[object, ...]]
Pool: TypeAlias = ConnectionPool[Connection]

# jit: compiling a query over many chunks takes a second, running it a millisecond
_OPTIONS = "-c search_path=core,public -c timezone=UTC -c jit=off"
_KEEPALIVE: dict[str, Any] = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}


@contextmanager
def translated() -> Iterator[None]:
    """Turn driver errors into ours, the cause kept.

    Raises
    ------
    DatabaseUnreachable
        The connection is gone or cannot be made.
    SchemaMissing
        A table is not there.
    DatabaseRefused
        The data are at fault (SQLSTATE classes 22 and 23).
    DatabaseFault
        Anything else, such as a read-only server or a damaged file.
    """
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise DatabaseUnreachable(_line(error)) from error
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
        raise SchemaMissing(_line(error)) from error
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        raise DatabaseRefused(_line(error)) from error
    except psycopg.Error as error:
        raise DatabaseFault(_line(error)) from error


def _line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]


def connect(
    url: str,
    *,
    autocommit: bool = False,
    name: str = "parkwatt",
    patience_s: int | None = None,
) -> Connection:
    """Open one connection in UTC with schema ``core`` first.

    Parameters
    ----------
    patience_s
        A statement that takes longer is cancelled; None: never.

    Raises
    ------
    DatabaseUnreachable
        When no server answers within five seconds.
    """
    with translated():
        return psycopg.connect(
            url,
            autocommit=autocommit,
            application_name=name,
            options=_OPTIONS
            + (f" -c statement_timeout={patience_s}s" if patience_s else ""),
            connect_timeout=5,
            **_KEEPALIVE,
        )


@contextmanager
def session(url: str, name: str = "parkwatt") -> Iterator[Connection]:
    """Give a connection for one transaction, its errors translated, closed at the end."""
    with translated(), connect(url, name=name) as conn:
        yield conn


def open_pool(url: str, *, size: int = 8, name: str = "parkwatt-api") -> Pool:
    """Open a pool whose connections are checked before they are given out."""
    return ConnectionPool(
        url,
        min_size=1,
        max_size=size,
        kwargs={"application_name": name, "options": _OPTIONS, **_KEEPALIVE},
        check=ConnectionPool.check_connection,
        timeout=5,
        open=True,
    )
