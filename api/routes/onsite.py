"""Own plant: photovoltaics, storage, charging, clean energy, balance."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from analytics.jobs import onsiting as job
from api.account_models import Recorded
from api.answer import rows_of
from api.asking import AskedDays, AskedPark, AskedSubject, Conn, KnownOn, Set
from api.errors import WRITE_ERRORS
from api.onsite_models import NewPlant, Onsite, Plants
from store import registry
from store.plants import plants

router = APIRouter(prefix="/parks/{park}", tags=["own plant"])


@router.get("/onsite", response_model=Onsite)
def onsite(
    conn: Conn,
    subject: AskedSubject,
    days: AskedDays,
    known_on: KnownOn,
    settings: Set,
    load: Annotated[
        list[str] | None,
        Query(description="ENTERPRISE/METER of the load; may be said several times"),
    ] = None,
    soc_change: Annotated[
        float | None, Query(ge=-1, le=1, description="of the storage, share")
    ] = None,
    resolution_kwh: Annotated[
        float, Query(ge=0, le=1e6, description="step of the registers")
    ] = 0.0,
    clean: Annotated[
        Literal["non_fossil_electricity", "non_fossil", "non_fossil_and_gas"],
        Query(description="which energy is clean"),
    ] = "non_fossil",
    basis: Annotated[
        Literal["calorific", "equal_value"], Query(description="of the tce")
    ] = "equal_value",
) -> Any:
    """Give the figures of own plant over local days, each with what it needs."""
    return job.own_plant(
        conn,
        subject,
        days.first,
        days.last,
        load=load or (),
        soc_change=soc_change,
        resolution_kwh=resolution_kwh,
        definition=clean,
        basis=basis,
        known_on=known_on,
        minimum_coverage=settings.minimum_coverage,
    )


@router.get("/plants", response_model=Plants)
def listed(conn: Conn, subject: AskedSubject, known_on: KnownOn) -> Any:
    """List what the subject's plant can do, in the order recorded."""
    return {"rows": rows_of(plants(conn, subject.subject_id, known_on))}


@router.post(
    "/plants", response_model=Recorded, status_code=201, responses=WRITE_ERRORS
)
def state(conn: Conn, park: AskedPark, asked: NewPlant) -> Any:
    """Record peak power, storage energy, power or number of charging piles."""
    subject = registry.subject(conn, park.code, asked.enterprise)
    new = job.state(conn, subject, **asked.model_dump(exclude={"enterprise"}))
    return {"recorded": [asked.what] if new else []}
