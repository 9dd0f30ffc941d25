"""One shape for every error: ``{"error": {"code", "message", "detail"?}}``."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from store.errors import (
    DatabaseRefused,
    DatabaseUnreachable,
    Invalid,
    SchemaMissing,
    Unknown,
)

log = logging.getLogger(__name__)

RETRY_S = 5  # what a client is told to wait while the database is away


class Wrong(BaseModel):
    """What is wrong and what to do."""

    code: str = Field(description="stable name of the error", examples=["unknown_park"])
    message: str = Field(description="one sentence: what is wrong, what to do")
    detail: Any = Field(default=None, description="more, where there is more; optional")


class Problem(BaseModel):
    """The body of every answer that is an error."""

    error: Wrong


ERRORS: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "there is no such thing"},
    422: {"model": Problem, "description": "a parameter cannot be used"},
    500: {"model": Problem, "description": "an error of ours; see the server's log"},
    503: {"model": Problem, "description": "the database is away or not migrated"},
}

WRITE_ERRORS: dict[int | str, dict[str, Any]] = {
    403: {"model": Problem, "description": "another site asks for a change"},
    413: {"model": Problem, "description": "the body is too large"},
    415: {"model": Problem, "description": "the body is not sent as JSON"},
}

_LISTED = {
    "park": "GET /api/v1/parks lists the parks",
    "enterprise": "GET /api/v1/parks/{park}/enterprises lists the enterprises",
    "meter": "GET /api/v1/parks/{park}/meters lists the meters",
}
_HTTP = {
    404: (
        "not_found",
        "There is nothing at {path}; /openapi.json lists what there is.",
    ),
    405: (
        "method_not_allowed",
        "{path} does not take {method}; use GET, or see /openapi.json.",
    ),
}


def problem(
    status: int, code: str, message: str, detail: object = None, **headers: str
) -> JSONResponse:
    """Make an error's answer."""
    error: dict[str, object] = {"code": code, "message": message}
    if detail is not None:
        error["detail"] = detail
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse({"error": error}, status, headers=names)


def _unknown(request: Request, error: Exception) -> JSONResponse:
    what = str(error).partition(": ")[2]
    kind = what.partition(" ")[0]
    if kind not in _LISTED:
        return problem(404, "unknown", f"{error}.")
    return problem(404, f"unknown_{kind}", f"There is no {what}; {_LISTED[kind]}.")


def _invalid(request: Request, error: Exception) -> JSONResponse:
    return problem(422, "invalid", f"{error}.")


def _out_of_bounds(request: Request, error: Exception) -> JSONResponse:
    if request.method in ("GET", "HEAD"):
        raise error  # nothing was entered: a fault of ours
    log.warning("%s", error)
    words = "a value is out of bounds or names nothing"
    return problem(422, "invalid", f"The input cannot be used: {words}.")


def _refused(request: Request, error: Exception) -> JSONResponse:
    wrong: Sequence[Any] = error.errors()  # type: ignore[attr-defined]
    detail = [
        {"parameter": str(each["loc"][-1]), "message": each["msg"]} for each in wrong
    ]
    if wrong[0]["type"] == "json_invalid":
        return problem(422, "invalid", "The body is not JSON.")
    first = detail[0]
    message = f"Parameter {first['parameter']!r} cannot be used: {first['message']}."
    return problem(422, "invalid", message, detail)


def _away(request: Request, error: Exception) -> JSONResponse:
    log.warning("%s", error)
    return problem(
        503,
        "database_unreachable",
        "The database cannot be reached; try again, or see `parkwatt doctor`.",
        Retry_After=str(RETRY_S),
    )


def _unmigrated(request: Request, error: Exception) -> JSONResponse:
    log.warning("%s", error)
    return problem(
        503,
        "schema_missing",
        "The database has no Parkwatt schema or an older one; run `parkwatt migrate`.",
    )


def _http(request: Request, error: Exception) -> JSONResponse:
    status: int = error.status_code  # type: ignore[attr-defined]
    code, words = _HTTP.get(status, ("refused", "{path} was refused."))
    message = words.format(path=request.url.path, method=request.method)
    answer = problem(status, code, message)
    answer.headers.update(error.headers or {})  # type: ignore[attr-defined]
    return answer


def ours() -> JSONResponse:
    """Answer an error nobody foresaw, without a word on the inside."""
    return problem(
        500, "internal", "Something went wrong on our side; the server's log says what."
    )


def handle_errors(app: FastAPI) -> None:
    """Give every error the one shape; the unforeseen ones api.headers catches."""
    app.add_exception_handler(Unknown, _unknown)
    app.add_exception_handler(Invalid, _invalid)
    app.add_exception_handler(RequestValidationError, _refused)
    app.add_exception_handler(DatabaseRefused, _out_of_bounds)
    app.add_exception_handler(DatabaseUnreachable, _away)
    app.add_exception_handler(SchemaMissing, _unmigrated)
    app.add_exception_handler(HTTPException, _http)
