"""In which system call each thread waits: proc(5), `/proc/PID/task/TID/syscall`."""

import os
import platform
import struct
from dataclasses import dataclass

NUMBERS = {
    "x86_64": {
        0: "read", 7: "poll", 23: "select", 45: "recvfrom", 47: "recvmsg", 202: "futex", 271: "ppoll",
    },
    "aarch64": {63: "read", 73: "ppoll", 98: "futex", 207: "recvfrom", 212: "recvmsg"},
}  # fmt: skip
"""The calls that are looked for, by their numbers on each kind of machine."""

READING = ("read", "recvfrom", "recvmsg")
FUTEX_WAIT, FUTEX_WAIT_BITSET = 0, 9
FUTEX_COMMAND = 127


@dataclass(frozen=True)
class Wait:
    """A thread that waits in a system call."""

    thread: int
    call: str
    """Its name; empty if it is none of those that are looked for."""
    descriptor: int = -1
    """The only descriptor that it waits for; -1 if it waits for none or for several."""
    endless: bool = False
    """Whether it waits without a limit of time."""
    address: int = 0
    """The address of the lock that it waits for, if the call is `futex`."""


def supported() -> bool:
    """Whether the numbers of system calls of this kind of machine are known."""
    return platform.machine() in NUMBERS


def readable(pid: int) -> bool:
    """Whether the system calls of a process can be read: ptrace(2) decides."""
    try:
        with open(f"/proc/{pid}/syscall", "rb") as file:
            file.read()
    except OSError:
        return False
    return True


def parsed(pid: int, thread: int, line: str) -> Wait | None:
    """The wait of a thread by its line of `syscall`; None if it waits in no call.

    Raises OSError if the process has ended or may not be read.
    """
    text = line.split()
    if len(text) < 7:
        return None
    number, *arguments = (int(text[0]), *(int(word, 16) for word in text[1:7]))
    call = NUMBERS.get(platform.machine(), {}).get(number, "")
    if call in READING:
        return Wait(thread, call, arguments[0], endless=True)
    if call in ("poll", "ppoll"):
        descriptor = _polled(pid, arguments[0]) if arguments[1] == 1 else -1
        endless = arguments[2] == 0 if call == "ppoll" else arguments[2] & 0xFFFFFFFF == 0xFFFFFFFF
        return Wait(thread, call, descriptor, endless)
    if call == "futex":
        waiting = arguments[1] & FUTEX_COMMAND in (FUTEX_WAIT, FUTEX_WAIT_BITSET)
        return Wait(thread, call, endless=waiting and arguments[3] == 0, address=arguments[0])
    return Wait(thread, call)


def _polled(pid: int, address: int) -> int:
    """The descriptor in a `struct pollfd` of a process. Only its memory is read."""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        descriptor, _, _ = struct.unpack("=ihh", os.pread(memory.fileno(), 8, address))
    return int(descriptor)


def shared_mapping(pid: int, address: int) -> bool | None:
    """Whether other processes can see what is at an address; None if unknown."""
    try:
        with open(f"/proc/{pid}/maps") as file:
            for line in file:
                span, permissions = line.split()[:2]
                begin, _, end = span.partition("-")
                if int(begin, 16) <= address < int(end, 16):
                    return permissions[3] == "s"
    except OSError:
        pass
    return None


def for_own_lock(pid: int, wait: Wait) -> bool:
    """Whether a thread waits without a limit for a lock in memory that no other process sees."""
    return wait.call == "futex" and wait.endless and shared_mapping(pid, wait.address) is False
