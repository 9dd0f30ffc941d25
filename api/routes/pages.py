"""The web pages."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

router = APIRouter(tags=["page"])

WEB = Path(__file__).parents[1] / "web"


@router.get("/", response_class=FileResponse, include_in_schema=False)
@router.get("/parks/{park}", response_class=FileResponse, include_in_schema=False)
def page() -> FileResponse:
    """Give the live page; it finds its park in the address."""
    return FileResponse(WEB / "index.html", media_type="text/html; charset=utf-8")


@router.get("/peaks", response_class=FileResponse, include_in_schema=False)
@router.get("/parks/{park}/peaks", response_class=FileResponse, include_in_schema=False)
def peaks() -> FileResponse:
    """Give the page of the running window and of who made a peak."""
    return FileResponse(WEB / "peaks.html", media_type="text/html; charset=utf-8")


@router.get("/bills", response_class=FileResponse, include_in_schema=False)
@router.get("/parks/{park}/bills", response_class=FileResponse, include_in_schema=False)
def bills() -> FileResponse:
    """Give the page of what months cost."""
    return FileResponse(WEB / "bills.html", media_type="text/html; charset=utf-8")


@router.get("/entry", response_class=FileResponse, include_in_schema=False)
@router.get("/parks/{park}/entry", response_class=FileResponse, include_in_schema=False)
def entry() -> FileResponse:
    """Give the page on which people type readings."""
    return FileResponse(WEB / "entry.html", media_type="text/html; charset=utf-8")


@router.get("/statements", response_class=FileResponse, include_in_schema=False)
@router.get(
    "/parks/{park}/statements", response_class=FileResponse, include_in_schema=False
)
def statements() -> FileResponse:
    """Give the page on which people state added value, output and the like."""
    return FileResponse(WEB / "statements.html", media_type="text/html; charset=utf-8")


@router.get("/carbon", response_class=FileResponse, include_in_schema=False)
@router.get(
    "/parks/{park}/carbon", response_class=FileResponse, include_in_schema=False
)
def carbon() -> FileResponse:
    """Give the page of the carbon peak."""
    return FileResponse(WEB / "carbon.html", media_type="text/html; charset=utf-8")


@router.get("/intensity", response_class=FileResponse, include_in_schema=False)
@router.get(
    "/parks/{park}/intensity", response_class=FileResponse, include_in_schema=False
)
def intensity() -> FileResponse:
    """Give the page of intensities; for the park's managers."""
    return FileResponse(WEB / "intensity.html", media_type="text/html; charset=utf-8")


@router.get(
    "/parks/{park}/enterprises/{enterprise}/intensity",  # noqa: FAST003  (the page reads them)
    response_class=FileResponse,
    include_in_schema=False,
)
def own_intensity() -> FileResponse:
    """Give an enterprise its own page: its figures, and its quarter of the industry."""
    return FileResponse(WEB / "own.html", media_type="text/html; charset=utf-8")
