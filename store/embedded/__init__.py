"""A private database for machines that have none: get it, run it, stop it."""

from store.embedded.server import Server
from store.embedded.timescale import Installation, find_or_install

__all__ = ["Installation", "Server", "find_or_install"]
