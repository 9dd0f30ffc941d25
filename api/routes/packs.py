"""Packs of indicators."""

from typing import Any

from fastapi import APIRouter

from analytics.jobs import packs as job
from api.account_models import Recorded
from api.asking import Conn
from api.errors import WRITE_ERRORS
from api.indicator_models import NewPack, Packs

router = APIRouter(prefix="/packs", tags=["indicators"])


@router.get("", response_model=Packs)
def packs(conn: Conn) -> Any:
    """List the packs of indicators, and what each asks people for."""
    return {"rows": job.listed(conn)}


@router.post("", response_model=Recorded, status_code=201, responses=WRITE_ERRORS)
def add(conn: Conn, asked: NewPack) -> Any:
    """Record a pack of one's own; a newer one of its name stands in for it."""
    name, new = job.add(conn, asked.text, who=asked.who)
    return {"recorded": [name] if new else []}
