"""Runs `poolstart` and `asv` many times, each in a fork of this process, which has imported them.

It runs in the checkout to use, reads a case per line from standard input and writes its exit status to
standard output. Output and files are as those of a new process, without the second that imports take.
"""

import atexit
import ctypes
import json
import os
import resource
import signal
import sys
import threading
import traceback
from functools import partial
from pathlib import Path
from typing import Any

import asv.main

import harness.answer.claims
import harness.cli
import harness.cli.commands
import harness.comparisons.servers_report
import harness.history.changes

# Modules that commands import when they are called.
import harness.history.measure
import harness.history.sensitivity.report
import harness.releases.index
import harness.releases.plugin
import harness.site.publisher

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18

LIBC = ctypes.CDLL(None, use_errno=True)


def require_success(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    require_success(LIBC.mount(source.encode(), target.encode(), kind.encode(), flags, options.encode()))


def surround(case: dict[str, Any]) -> None:
    """Mount what only this process and its children see, and set limits."""
    if case["mounts"]:
        user, group = os.getuid(), os.getgid()
        require_success(LIBC.unshare(CLONE_NEWNS if user == 0 else CLONE_NEWNS | CLONE_NEWUSER))
        if user != 0:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        mount("none", "/", "", MS_REC | MS_PRIVATE)
    for kind, target in case["mounts"]:
        if kind == "read-only":
            mount(target, target, "", MS_BIND)
            mount(target, target, "", MS_BIND | MS_REMOUNT | MS_RDONLY)
        else:
            mount("tmpfs", target, "tmpfs", 0, {"small": "size=1m,mode=1777", "empty": "mode=0755"}[kind])
    if case["file_size"]:
        # Python ignores SIGXFSZ, so that a write fails instead.
        resource.setrlimit(resource.RLIMIT_FSIZE, (case["file_size"], case["file_size"]))


def run(case: dict[str, Any]) -> int:
    """Run one command as a process of its own would; return its exit status."""
    os.environ.clear()
    os.environ.update(case["environment"])
    sys.argv = case["command"]
    program = harness.cli.main if sys.argv[0] == "poolstart" else asv.main.main
    try:
        surround(case)
        program()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return int(end.code or 0)
    except BaseException:
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        return 1
    return 0


def kill(group: int, *_: object) -> None:
    os.killpg(group, signal.SIGKILL)


def main() -> None:
    for line in sys.stdin:
        case = json.loads(line)
        child = os.fork()
        if child == 0:
            os.setsid()
            for number, name in ((0, os.devnull), (1, case["out"]), (2, case["err"])):
                flags = os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
                os.dup2(os.open(name, flags, 0o644), number)
            code = 70
            try:
                code = run(case)
                threading._shutdown()  # type: ignore[attr-defined]
                atexit._run_exitfuncs()
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        # A command that hangs is killed; its status shows that.
        signal.signal(signal.SIGALRM, partial(kill, child))
        signal.alarm(case["deadline"])
        _, status = os.waitpid(child, 0)
        signal.alarm(0)
        print(os.waitstatus_to_exitcode(status), flush=True)


main()
