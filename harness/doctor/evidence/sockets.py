"""Connections to PostgreSQL, and the processes that hold each of them.

Holding is no use: a worker that was treated as it should holds copies of its parent's sockets as well.
"""

import contextlib
import os
import pwd
import re
import socket
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from harness.doctor.evidence import netlink, tree
from harness.processes import proc

SOCKET = re.compile(r"socket:\[(\d+)\]")
ESTABLISHED, CLOSE_WAIT, LISTENING = "01", "08", "0A"
PORTS = (5432, 6432)
"""The usual ports of PostgreSQL and PgBouncer."""

SERVERS = ("postgres", "pgbouncer", "odyssey")
UNIX_NAME = re.compile(r"/\.s\.PGSQL\.(\d+)$")

Holders = Mapping[int, dict[int, tuple[int, ...]]]
"""The descriptors of each process that holds a socket, by inode and pid."""


@dataclass(frozen=True)
class Address:
    """The two ends of a TCP connection, as the client sees them."""

    host: str
    port: int
    server_host: str
    server_port: int

    def __str__(self) -> str:
        server = f"[{self.server_host}]" if ":" in self.server_host else self.server_host
        return f"port {self.port} to {server}:{self.server_port}"


@dataclass(frozen=True)
class Connection:
    """A connection to PostgreSQL, or to a pooler."""

    inode: int
    address: Address | None
    """None for a Unix socket."""
    server: str
    """How it was recognised, for example `postgres 812` or `port 5432`."""
    holders: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """The descriptors by the pid of each process that has it open."""
    backend: int = 0
    """The pid of the server's process for it, if that is on this machine and can be seen."""
    ended: bool = False
    """Whether the server has closed it, and its holders have not."""
    network: int = 0
    """A process in whose network namespace it is, if that is not our own."""

    @property
    def request(self) -> bytes:
        """The question for its counters; empty for a Unix socket, which has none."""
        at = self.address
        return netlink.request(at.host, at.port, at.server_host, at.server_port) if at else b""


def inherited(copies: Mapping[int, int], connection: Connection, pid: int) -> bool:
    """Whether a holder got the connection by a fork: a process that it is a copy of holds it too."""
    return any(ancestor in connection.holders for ancestor in tree.ancestors(copies, pid))


def descriptors(pid: int) -> dict[int, list[int]]:
    """The descriptors of a process that are sockets, by inode; empty if they cannot be read."""
    found: dict[int, list[int]] = {}
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return {}
    for number in numbers:
        try:
            match = SOCKET.match(os.readlink(f"/proc/{pid}/fd/{number}"))
        except OSError:
            continue
        if match:
            found.setdefault(int(match[1]), []).append(int(number))
    return found


def closed(pid: int, numbers: Iterable[int], inode: int) -> bool:
    """Whether a process that had a socket open at these descriptors has ended, or has closed them."""
    for number in numbers:
        try:
            if os.readlink(f"/proc/{pid}/fd/{number}") == f"socket:[{inode}]":
                return False
        except PermissionError:
            # It may have it still.
            return False
        except OSError:
            continue
    return True


@dataclass(frozen=True)
class Row:
    """A line of `/proc/net/tcp`."""

    inode: int
    state: str
    local: tuple[str, int]
    remote: tuple[str, int]
    uid: int


def tcp_rows(pid: int | str) -> list[Row]:
    """The TCP sockets in the network namespace of a process."""
    rows = []
    for name in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{pid}/net/{name}") as file:
                lines = file.read().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            rows.append(
                Row(int(fields[9]), fields[3], _address(fields[1]), _address(fields[2]), int(fields[7]))
            )
    return rows


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.partition(":")
    words = struct.pack(f"={len(host) // 8}I", *(int(host[i : i + 8], 16) for i in range(0, len(host), 8)))
    return socket.inet_ntop(socket.AF_INET if len(words) == 4 else socket.AF_INET6, words), int(port, 16)


def connections(processes: Mapping[int, tree.Process], ports: Iterable[int] = ()) -> list[Connection]:
    """The connections to PostgreSQL that these processes hold, with all their readable holders.

    A peer is PostgreSQL's if a process of that name has the other end, if user `postgres` listens there, or
    if the port is a usual one or in `ports`.
    """
    held = {pid: descriptors(pid) for pid in processes}
    elsewhere = {pid: descriptors(pid) for pid in tree.pids() if pid not in held and pid != os.getpid()}
    owners: dict[int, list[int]] = {}
    for pid, inodes in {**held, **elsewhere}.items():
        for inode in inodes:
            owners.setdefault(inode, []).append(pid)
    wanted = {inode for inodes in held.values() for inode in inodes}
    holders = {
        inode: {
            pid: tuple(sorted(inodes[inode]))
            for pid, inodes in {**held, **elsewhere}.items()
            if inode in inodes
        }
        for inode in wanted
    }
    networks = _networks(processes)
    found = [
        *_tcp(networks, holders, owners, {*PORTS, *ports}),
        *_unix(networks, holders, owners),
    ]
    return sorted(found, key=lambda connection: connection.inode)


def _networks(processes: Iterable[int]) -> list[int]:
    """A process of each network namespace; 0 for our own. An inherited socket may be in another one's."""
    found = {os.readlink("/proc/self/ns/net"): 0}
    for pid in processes:
        with contextlib.suppress(OSError):
            found.setdefault(os.readlink(f"/proc/{pid}/ns/net"), pid)
    return list(found.values())


def _tcp(
    networks: Iterable[int], holders: Holders, owners: Mapping[int, list[int]], ports: set[int]
) -> Iterable[Connection]:
    for network in networks:
        rows = tcp_rows(network or "self")
        by_ends = {(_plain(row.local), _plain(row.remote)): row for row in rows if row.state == ESTABLISHED}
        listening = {row.local[1]: row for row in rows if row.state == LISTENING}
        for row in rows:
            if row.inode not in holders or row.state not in (ESTABLISHED, CLOSE_WAIT):
                continue
            mirrored = by_ends.get((_plain(row.remote), _plain(row.local)))
            server, backend = _server(mirrored, listening.get(row.remote[1]), owners)
            if not server and row.remote[1] in ports:
                server = f"port {row.remote[1]}"
            if server:
                address, ended = Address(*row.local, *row.remote), row.state == CLOSE_WAIT
                yield Connection(row.inode, address, server, holders[row.inode], backend, ended, network)


def _plain(end: tuple[str, int]) -> tuple[str, int]:
    """An IPv4 address that is written as IPv6, as IPv4."""
    return end[0].removeprefix("::ffff:"), end[1]


def _server(mirrored: Row | None, listening: Row | None, owners: Mapping[int, list[int]]) -> tuple[str, int]:
    for row in (mirrored, listening):
        for pid in owners.get(row.inode, ()) if row else ():
            stat = proc.stat(pid)
            if stat and stat.name in SERVERS:
                return f"{stat.name} {pid}", pid if row is mirrored and stat.name == "postgres" else 0
    if listening:
        try:
            user = pwd.getpwuid(listening.uid).pw_name
        except KeyError:
            user = ""
        if user in SERVERS:
            return f"user {user} listens", 0
    return "", 0


def _unix(networks: Iterable[int], holders: Holders, owners: Mapping[int, list[int]]) -> Iterable[Connection]:
    peers: dict[int, tuple[int, str]] = {}
    for network in networks:
        with contextlib.suppress(OSError):
            peers |= netlink.unix_peers(network)
    for inode in holders.keys() & peers.keys():
        peer, _ = peers[inode]
        _, name = peers.get(peer, (0, ""))
        if UNIX_NAME.search(name):
            backends = [
                pid for pid in owners.get(peer, ()) if (stat := proc.stat(pid)) and stat.name == "postgres"
            ]
            yield Connection(inode, None, name, holders[inode], backends[0] if backends else 0)
