"""The front door: one command-line app that composes the rooms."""

from parkwatt.commands import app, main

__all__ = ["app", "main"]
