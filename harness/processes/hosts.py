"""Hosts: network namespaces in place of further machines, each joined to this one by a virtual cable.

They share this machine's clock, files and processors, but neither its network nor its host name. A host and
its cable disappear when the last process in it ends.
"""

import ctypes
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.processes import proc
from harness.processes.child import last_error
from harness.processes.supervision import Supervision
from harness.processes.wait import wait_until
from harness.system.errors import PoolstartError

TOOLS = ("ip", "nsenter", "unshare")
"""Programs of iproute2 and util-linux."""

CLONE_NEWNET = 0x40000000

NETWORK = "198.18.0.0/16"
"""Reserved for measurements by RFC 2544."""

ADDRESS = "198.18.0.1"
"""The address of this machine for every host."""

OWN = Path("/proc/thread-self/ns/net")

DEADLINE = 10.0
"""Seconds for a namespace to be ready, and for a command in one."""


@contextmanager
def private_network() -> Iterator[None]:
    """A context in which this thread and its children have a network of their own: loopback and cables.

    The machine's own network is neither used nor changed. Raises `PoolstartError` if this is not possible.
    """
    require_root()
    libc = ctypes.CDLL(None, use_errno=True)
    with OWN.open() as before:
        if libc.unshare(CLONE_NEWNET):
            reason = os.strerror(ctypes.get_errno())
            raise PoolstartError(
                f"no network namespace can be made: {reason}", "allow it, or leave out --hosts"
            )
        try:
            _run("ip", "link", "set", "lo", "up")
            _run("ip", "addr", "add", f"{ADDRESS}/32", "dev", "lo")
            yield
        finally:
            libc.setns(before.fileno(), CLONE_NEWNET)


def require_root() -> None:
    """Raises `PoolstartError` if this process cannot create hosts."""
    if os.geteuid() != 0:
        raise PoolstartError("hosts are network namespaces, which only root can make", "run it as root")
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        raise PoolstartError(
            f"hosts need {' and '.join(missing)}", "install iproute2 and util-linux, or leave out --hosts"
        )


class Host:
    """A host that exists until `supervision` is closed. The calling thread must be within `private_network`.

    Raises `PoolstartError` if it cannot be created.
    """

    _numbers = itertools.count(1)
    """No number is used twice, because a cable may outlive its host for a moment."""

    def __init__(self, supervision: Supervision) -> None:
        number = next(self._numbers)
        self.address = f"198.18.{number}.2"
        ours, cable = f"198.18.{number}.1", f"host{number}"
        named = f"echo {cable} >/proc/sys/kernel/hostname && exec sleep infinity"
        holder = supervision.start(["unshare", "--net", "--uts", "sh", "-c", named], stdin=subprocess.DEVNULL)
        self._pid = holder.pid
        self._wait(holder)
        _run("ip", "link", "add", cable, "type", "veth", "peer", "uplink", "netns", str(holder.pid))
        _run("ip", "addr", "add", f"{ours}/30", "dev", cable)
        _run("ip", "link", "set", cable, "up")
        for words in (
            ("link", "set", "lo", "up"),
            ("addr", "add", f"{self.address}/30", "dev", "uplink"),
            ("link", "set", "uplink", "up"),
            ("route", "add", "default", "via", ours),
        ):
            _run(*self.command(("ip", *words)))

    def command(self, words: Sequence[str | Path]) -> list[str | Path]:
        """The command that runs `words` on this host."""
        return ["nsenter", "--target", str(self._pid), "--net", "--uts", "--", *words]

    def _wait(self, holder: "subprocess.Popen[bytes]") -> None:
        # Once the process has the name of the last command, the commands before it are done.
        wait_until(lambda: holder.poll() is not None or self._named("sleep"), DEADLINE, poll=0.002)
        if not self._named("sleep"):
            raise PoolstartError(f"a network namespace was not ready after {DEADLINE:g} s", "run it again")

    def _named(self, name: str) -> bool:
        process = proc.stat(self._pid)
        return process is not None and process.name == name


def _run(*words: str | Path) -> None:
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    if done.returncode:
        reason = last_error(done.stderr, f"exit status {done.returncode}")
        raise PoolstartError(
            f"`{' '.join(map(str, words))}` failed: {reason}", "fix that, or leave out --hosts"
        )
