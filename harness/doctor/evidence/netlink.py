"""sock_diag(7): sockets and their counters, from the kernel, for any user."""

import contextlib
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300
INET_DIAG_INFO = 2
ANY_COOKIE = b"\xff" * 8
CLONE_NEWNET = 0x40000000
TCP_CLOSE_WAIT = 8


UDIAG_SHOW_NAME, UDIAG_SHOW_PEER = 1, 4
UNIX_DIAG_NAME, UNIX_DIAG_PEER = 0, 2


ANSWER = 2048
"""Bytes that are enough for the answer about one connection."""


BYTES_SENT, BYTES_RETRANSMITTED, LAST_SENT = 200, 208, 44
"""Offsets in `struct tcp_info`; the first two exist since Linux 4.19."""


@dataclass(frozen=True)
class Counters:
    """What the kernel counts for a TCP connection."""

    sent: int
    """Bytes sent, without those that were sent again."""
    unsent: int
    """Bytes in the send queue: they can still be sent although no process runs."""
    unread: int
    """Bytes received that no process has read."""
    idle: float
    """Seconds since something was sent, or since it was connected."""
    inode: int = 0
    ended: bool = False
    """Whether the other side has closed it."""


def request(source: str, source_port: int, target: str, target_port: int) -> bytes:
    """A question for the counters of a TCP connection.

    Addresses are in the form that `socket.inet_ntop` returns.
    """
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    identity = struct.pack(">HH", source_port, target_port) + b"".join(
        socket.inet_pton(family, address).ljust(16, b"\0") for address in (source, target)
    )
    return _message(
        struct.pack("=BBBxI", family, socket.IPPROTO_TCP, 1 << (INET_DIAG_INFO - 1), 0xFFFFFFFF)
        + identity
        + struct.pack("=I", 0)
        + ANY_COOKIE,
        NLM_F_REQUEST,
    )


class Diag:
    """Asks for counters again and again, over one socket.

    `process` is one in whose network namespace the connections are; 0 for our own. Only root gets answers
    from another one.
    """

    def __init__(self, process: int = 0) -> None:
        self._link: socket.socket | None = None
        with contextlib.suppress(OSError):
            self._link = _link(process)

    def counters(self, request: bytes, inode: int) -> Counters | None:
        """The counters of a connection; None if it has ended or is unknown, or the kernel refuses."""
        if not request or not self._link:
            return None
        try:
            self._link.send(request)
            # The kernel has answered when `send` returns.
            data = self._link.recv(ANSWER, socket.MSG_DONTWAIT)
        except OSError:
            return None
        [kind] = struct.unpack_from("=H", data, 4)
        found = None if kind in (NLMSG_ERROR, NLMSG_DONE) else counted(data[16:])
        # A later connection, or one of another namespace, can have the same two ends.
        return found if found and found.inode == inode else None

    def close(self) -> None:
        if self._link:
            self._link.close()


def counted(body: bytes) -> Counters | None:
    """The counters in an answer of the kernel; None if it is too old to have them."""
    unread, unsent = struct.unpack_from("=II", body, 56)
    [inode] = struct.unpack_from("=I", body, 68)
    info = _attributes(body, 72).get(INET_DIAG_INFO, b"")
    if len(info) < BYTES_RETRANSMITTED + 8:
        return None
    sent, again = struct.unpack_from("=QQ", info, BYTES_SENT)
    [last] = struct.unpack_from("=I", info, LAST_SENT)
    return Counters(sent - again, unsent, unread, last / 1000, inode, body[1] == TCP_CLOSE_WAIT)


def unix_peers(process: int = 0) -> dict[int, tuple[int, str]]:
    """The connected Unix sockets by inode: the peer's inode, and the own name; `process` is as for `Diag`.

    Raises OSError if it is not allowed to ask.
    """
    request = (
        struct.pack("=BBHIII", socket.AF_UNIX, 0, 0, 0xFFFFFFFF, 0, UDIAG_SHOW_NAME | UDIAG_SHOW_PEER)
        + ANY_COOKIE
    )
    found = {}
    for body in _dumped(request, process):
        [inode] = struct.unpack_from("=I", body, 4)
        attributes = _attributes(body, 16)
        if peer := attributes.get(UNIX_DIAG_PEER):
            name = attributes.get(UNIX_DIAG_NAME, b"").rstrip(b"\0").decode(errors="replace")
            found[inode] = (struct.unpack("=I", peer)[0], name)
    return found


def _link(process: int = 0) -> socket.socket:
    """A socket of the network namespace of a process; 0 is this one. Raises OSError if it is not allowed."""
    if not process:
        return socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG)
    from concurrent.futures import ThreadPoolExecutor

    # A socket stays in the namespace in which it was made: only a thread of ours enters that, and ends.
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(_entered, process).result()


def _entered(process: int) -> socket.socket:
    import ctypes

    with open(f"/proc/{process}/ns/net") as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"the network namespace of process {process}")
    return _link()


def _message(body: bytes, flags: int) -> bytes:
    return struct.pack("=IHHII", len(body) + 16, SOCK_DIAG_BY_FAMILY, flags, 1, 0) + body


def _dumped(body: bytes, process: int) -> Iterator[bytes]:
    """Ask for all sockets of a kind, and yield the bodies of the answers: none if the kernel refuses it."""
    with _link(process) as link:
        link.settimeout(2)
        link.send(_message(body, NLM_F_REQUEST | NLM_F_DUMP))
        while True:
            data = link.recv(1 << 17)
            while len(data) >= 16:
                length, kind = struct.unpack_from("=IH", data)
                if kind in (NLMSG_ERROR, NLMSG_DONE):
                    return
                yield data[16:length]
                data = data[(length + 3) & ~3 :]


def _attributes(body: bytes, offset: int) -> dict[int, bytes]:
    found = {}
    while offset + 4 <= len(body):
        length, kind = struct.unpack_from("=HH", body, offset)
        if length < 4:
            break
        found[kind] = body[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    return found
