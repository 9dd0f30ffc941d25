"""The web pages: one frame around what is each page's own."""

from pathlib import Path
from string import Template

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

router = APIRouter(tags=["page"])

WEB = Path(__file__).parents[1] / "web"
# a page finds its park in its address
PARK_PAGES = {
    "": "index",
    "/peaks": "peaks",  # the running window, and who made a peak
    "/bills": "bills",  # what months cost
    "/entry": "entry",  # people type readings
    "/statements": "statements",  # people state added value, output and the like
    "/carbon": "carbon",  # the carbon peak
    "/intensity": "intensity",  # for the park's managers
}


def _read(name: str) -> str:
    return (WEB / f"{name}.html").read_text("utf-8")


FRAME = Template(_read("frame"))


def _add(address: str, name: str, header: str = "") -> None:
    """Serve a page; what its file has before <main> is the end of its header."""
    own, mark, rest = _read(name).partition("  <main")
    text = FRAME.substitute(name=name, header=header + own, main=mark + rest)

    @router.get(address, response_class=HTMLResponse, include_in_schema=False)
    def page() -> str:
        return text


for _path, _name in PARK_PAGES.items():
    _add(_path or "/", _name, _read("park"))
    _add("/parks/{park}" + _path, _name, _read("park"))
# an enterprise's own page leads to no page of the park
_add("/parks/{park}/enterprises/{enterprise}/intensity", "own")
