"""An embedded PostgreSQL, started and stopped here with the binaries of a wheel or of a given folder.

Only the binaries of the wheel are used. Its own launcher, if run by root, changes the permissions of every
directory above it, and it leaves the server running if its caller is killed.
"""

import errno
import os
import pwd
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

from harness.postgres.binaries import NoTLS, binaries, tls_binaries, version
from harness.postgres.server import Server
from harness.processes.hosts import ADDRESS, NETWORK
from harness.processes.supervision import Supervision
from harness.processes.wait import wait_until
from harness.system import processors
from harness.system.errors import HINTS, PoolstartError, hint_in

# With -n, initdb does not remove its files after a failure: they name its shared memory.
INITDB = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-N", "--no-instructions", "-n")
LOOPBACK = "127.0.0.1"

ROLE = "poolstart"
"""The only role that can connect, and the only database, which it owns."""

PREPARATION = (f"create role {ROLE} login;", f"create database {ROLE} owner {ROLE};")
"""Statements for single-user mode, before any client can connect. The superuser cannot connect at all: with
`COPY ... FROM PROGRAM` any account of the machine could run programs as the server's account."""

FIXED = (
    "begin;",
    "lock table pg_authid, pg_database, pg_db_role_setting in share mode;",
    f"prepare transaction '{ROLE}';",
)
"""The last statements in single-user mode. Their prepared transaction stays, and its lock prevents any change
of roles, databases and their settings while the server runs. Reading and connecting are not affected."""

FIXING = ("-c", "max_prepared_transactions=1")

SINGLE_USER = ("-c", "exit_on_error=on", "-c", "fsync=off")

RULES = (f"host {ROLE} {ROLE} {LOOPBACK}/32 trust",)
"""Lines of pg_hba.conf. There is no password, since the time to check it would be part of every figure."""

PASSWORD = "poolstart"
"""The role's password on a server that requires one."""

SET_PASSWORD = f"alter role {ROLE} password '{PASSWORD}';"

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "jit": "off",
    "max_connections": "100",
    "shared_buffers": "32MB",
}
"""Settings that keep measured queries from waiting for a disk, and avoid work in the background.

`docker-compose.yml` has the same settings; a test compares them.
"""

FROM_HOSTS = f"host {ROLE} {ROLE} {NETWORK} trust"
"""A further line for clients on hosts."""

IN_FILES = ("-c", "dynamic_shared_memory_type=mmap")
"""Keep dynamic shared memory in the data directory, so that it is removed even if the server is killed."""

START_DEADLINE = 30.0
"""Seconds for `initdb`, and for `postgres`, to be done."""

SELF_SIGNED = [
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
]


def identity() -> str:
    """The identity of an embedded server, without starting one."""
    return Server("embedded", "", version(binaries()), "tcp", "trust").identity


def start(supervision: Supervision, tls: bool = False, hosts: bool = False, scram: bool = False) -> Server:
    """Start a server that runs until `supervision` is closed.

    It listens on 127.0.0.1 only, accepts one role without privileges beyond its own database, and keeps its
    data in a private temporary directory. Starting takes about a second, nearly all of it for `initdb`. With
    `tls` it has a certificate made for this run, and its URL requires encryption. With `hosts` it listens on
    the address for hosts instead (`harness.processes.hosts`). With `scram` it requires a password, which its
    URL contains. Raises `PoolstartError` if it cannot be started.
    """
    folder = tls_binaries() if tls else binaries()
    version(folder)  # raises if this is no PostgreSQL, before anything is copied or run
    directory = supervision.directory()
    account = server_account()
    if account:
        os.chown(directory, account["user"], account["group"])
        folder = _executable_for(account, folder, directory)
    data = directory / "data"
    common: dict[str, Any] = {**account, "cwd": "/", "env": _environment(folder)}
    log, script = directory / "log", directory / "script"
    encryption = _certificate(directory, common) if tls else []
    with log.open("wb") as output:

        def run(problem: str, *command: str | Path, statements: str = "") -> None:
            """Run a command with these statements as its input; `problem` begins its error message."""
            script.write_text(statements)
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
                raise failed(problem, log)

        # Before PostgreSQL 16 initdb accepts no settings: its shared memory is in /dev/shm (`Supervision`).
        in_files = IN_FILES if int(version(folder).split(".")[0]) >= 16 else ()
        run("initdb failed", folder / "initdb", "-D", data, *INITDB, *in_files)
        run(
            "the embedded PostgreSQL could not be prepared",
            *(folder / "postgres", "--single", "-D", data, *SINGLE_USER, *IN_FILES, *FIXING, "postgres"),
            statements="\n".join((*PREPARATION, *([SET_PASSWORD] if scram else []), *FIXED)),
        )
        authentication = "scram-sha-256" if scram else "trust"
        rules = [rule.replace(" trust", f" {authentication}") for rule in RULES]
        address, further = (ADDRESS, (FROM_HOSTS,)) if hosts else (LOOPBACK, ())
        (data / "pg_hba.conf").write_text("\n".join((*rules, *further)) + "\n")
        listening = ("-c", f"listen_addresses={address}", "-c", "unix_socket_directories=")
        chosen = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        settings = (*listening, *IN_FILES, *FIXING, *chosen, *encryption)
        for _ in range(5):
            port = free_port()
            postmaster = supervision.start(
                [folder / "postgres", "-D", data, "-p", str(port), *settings],
                # Immediate shutdown: the data may be lost, but the shared memory segment must be freed.
                end="SIGQUIT",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **common,
            )
            if _ready(postmaster, data):
                processors.pin(postmaster.pid)
                role = f"{ROLE}:{PASSWORD}" if scram else ROLE
                url = f"postgresql://{role}@{address}:{port}/{ROLE}" + "?sslmode=require" * tls
                return Server("embedded", url, version(folder), "tls" if tls else "tcp", authentication)
            supervision.stop(postmaster)
            if "Address already in use" not in log.read_text(errors="replace"):
                break
    raise failed("the embedded PostgreSQL did not start", log)


def _certificate(directory: Path, common: dict[str, Any]) -> list[str]:
    """Create a self-signed certificate in `directory`, and return the settings that use it.

    Raises `NoTLS` if openssl is missing or fails.
    """
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


def server_account() -> dict[str, Any]:
    """The account that runs the server, as options of `Popen`; empty for the current user.

    PostgreSQL refuses to run as root. Raises `PoolstartError` if there is no other account.
    """
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
    """`folder`, or a copy of its installation if the account may not read it, as in a home directory."""
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
        # A wheel's programs find their libraries in a folder beside the package: <package>.libs.
        installation, package = folder.parent, folder.parents[1]
        copy = directory / "copy" / package.name / installation.name
        shutil.copytree(installation, copy)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, copy.parents[1] / libraries.name)
        return copy / "bin"


def _environment(folder: Path) -> dict[str, str]:
    """The environment of the server, without the user's PG* variables."""
    return {"PATH": f"{folder}:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def free_port(address: str = LOOPBACK) -> int:
    """A TCP port of that address on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def _ready(postmaster: "subprocess.Popen[Any]", data: Path) -> bool:
    """Wait until line 8 of the server's pid file says that it accepts connections; false if that fails."""

    def ready() -> bool:
        try:
            lines = (data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready" and lines[0] == str(postmaster.pid)

    wait_until(lambda: postmaster.poll() is not None or ready(), START_DEADLINE, poll=0.005)
    return postmaster.poll() is None and ready()


REMEDIES = {
    "could not look up effective user ID": "run as an account that has an entry in /etc/passwd",
    "insufficient file descriptors": HINTS[errno.EMFILE],
    "shared memory segment": "make room in /dev/shm",
    "wrote only": HINTS[errno.ENOSPC],
}
"""Remedies by words in the messages of programs, which are in English here."""


def failed(problem: str, log: Path) -> PoolstartError:
    """The error to raise for a program with this log: the first error in it, which causes the others."""
    text = log.read_text(errors="replace").strip()
    error = re.search(r"(?:FATAL|PANIC|ERROR|initdb: error):? +(.+)", text)
    reason = error[1] if error else text.rpartition("\n")[2] or "no error message"
    remedy = next((advice for words, advice in REMEDIES.items() if words in text), hint_in(text))
    return PoolstartError(f"{problem}: {reason}", remedy)
