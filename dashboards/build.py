"""All dashboards as Grafana's JSON; ``python -m dashboards.build`` writes the files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import carbon_peak, demand_peaks, enterprise_intensity, park_peak

FOLDER = Path(__file__).parent / "json"

_BUILDERS: dict[str, Callable[[], dashboard.Dashboard]] = {
    "carbon_peak.json": carbon_peak.build,
    "demand_peaks.json": demand_peaks.build,
    "enterprise_intensity.json": enterprise_intensity.build,
    "park_peak.json": park_peak.build,
}


def texts() -> dict[str, str]:
    """Give the text of each file in `FOLDER`."""
    return {
        name: json.dumps(
            build().build(),
            cls=JSONEncoder,
            indent=1,
            ensure_ascii=False,
            sort_keys=True,
        )
        + "\n"
        for name, build in _BUILDERS.items()
    }


def dashboards() -> dict[str, dict[str, Any]]:
    """Give each dashboard by its uid."""
    made = [cast("dict[str, Any]", json.loads(text)) for text in texts().values()]
    return {each["uid"]: each for each in made}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in texts().items():
        (FOLDER / name).write_text(text, "utf-8")
