"""YAML files with a checked content; what is wrong is told with file and place."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from simulators.errors import SimulatorError

Model = TypeVar("Model", bound=BaseModel)
_SHOWN = 5  # errors told at once


def read_yaml(path: Path) -> object:
    """Return what a YAML file holds.

    Raises
    ------
    SimulatorError
        If it cannot be read, with the line.
    """
    try:
        content: object = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SimulatorError(f"cannot read {path}: {reason}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        text = " ".join(str(error).split())
        raise SimulatorError(f"{path} is not YAML: {text}") from error
    return content


def checked(model: type[Model], content: object, path: Path | str) -> Model:
    """Return the content as a model.

    Raises
    ------
    SimulatorError
        If it does not fit: file, place, and what to do.
    """
    if content is None:
        raise SimulatorError(f"{path}: is empty: write the entries that it needs")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        found = error.errors(include_url=False)
        places = [each["loc"] for each in found]
        # a list is too short as well where none of its entries is right
        found = [
            each
            for each in found
            if each["type"] != "too_short"
            or not any(
                place != each["loc"] and place[: len(each["loc"])] == each["loc"]
                for place in places
            )
        ]
        told = [
            _told(".".join(map(str, each["loc"])), each["type"], each["msg"])
            for each in found[:_SHOWN]
        ]
        if len(found) > _SHOWN:
            told.append(f"and {len(found) - _SHOWN} more")
        raise SimulatorError(f"{path}: {'; '.join(told)}") from error


def _told(place: str, kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        message = "not known here: remove it or correct its spelling"
    elif kind == "missing":
        message = "is missing: add it"
    elif kind == "model_type":
        message = "write its entries as word: value"
    else:
        message = message.removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
