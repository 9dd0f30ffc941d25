"""The application: pool, live hub, routes, errors, headers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api.errors import ERRORS, handle_errors
from api.headers import SafeHeaders
from api.hub import Hub
from api.live import park_live
from api.live_models import Live
from api.routes import (
    accounting,
    accounts,
    activities,
    audit,
    balances,
    baselines,
    bills,
    checks,
    comparison,
    entry,
    events,
    factors,
    figures,
    green,
    history,
    indicators,
    intensities,
    live,
    membership,
    onsite,
    packs,
    pages,
    parks,
    peaks,
    readings,
    revisions,
    rules,
    state,
    statements,
    stating,
    targets,
    tariffs,
    trajectory,
    usage,
    virtual,
    zero_carbon,
)
from store import registry
from store.database import open_pool, translated
from store.errors import Unknown
from store.settings import Settings

ROUTERS = (
    parks,
    entry,
    readings,
    revisions,
    events,
    usage,
    figures,
    peaks,
    bills,
    tariffs,
    balances,
    accounts,
    audit,
    activities,
    factors,
    green,
    checks,
    virtual,
    rules,
    trajectory,
    zero_carbon,
    history,
    indicators,
    packs,
    onsite,
    comparison,
    baselines,
    live,
    accounting,
    statements,
    stating,
    membership,
    intensities,
    targets,
)


def create_app(url: str, settings: Settings) -> FastAPI:
    """Make the application for one database."""

    def live_text(park_id: int) -> str:
        with translated(), app.state.pool.connection() as conn:
            for park in registry.parks(conn):
                if park.park_id == park_id:
                    found = park_live(conn, park, settings.minimum_coverage)
                    return Live.model_validate(found).model_dump_json()
        raise Unknown(f"park {park_id}")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.pool = open_pool(url)
        app.state.hub = Hub(url, live_text)
        app.state.hub.start()
        try:
            yield
        finally:
            await app.state.hub.close()
            app.state.pool.close(timeout=1.0)

    app = FastAPI(
        title="Parkwatt",
        version="1",
        summary="Carbon and energy monitoring for industrial parks.",
        description="Times are ISO 8601 with an offset, days are local days of the "
        "park, intervals are half-open. Unknown is null, never 0. See docs/api.md.",
        docs_url=None,  # the stock pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.settings = settings
    for module in ROUTERS:
        app.include_router(module.router, prefix="/api/v1", responses=ERRORS)
    app.include_router(state.router)
    app.include_router(pages.router)
    app.mount("/static", StaticFiles(directory=pages.WEB), name="static")
    handle_errors(app)
    app.add_middleware(SafeHeaders)
    return app
