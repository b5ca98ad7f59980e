"""Our own files are replaced as a whole, and a damaged one is named in the error."""

import ast
import errno
from pathlib import Path

import pytest

from harness.system import files
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError, os_error_hint

SHORT_LIVED = {
    "demos/all/unguarded_frame.py": "a table in the temporary directory of its run",
    "doctor/run.py": "how often it has looked, in the temporary directory of the observed processes",
    "doctor/proof/programs.py": "the report of an observed program, in its temporary directory",
    "hazards/inside/parent.py": "scripts in the temporary directory of a trial",
    "hazards/runner.py": "the answer of a reproduction, in its temporary directory",
    "history/sensitivity/injected.py": "a changed SQLAlchemy, in an environment that can be made again",
    "instructions/count.py": "what is run, in the temporary directory of a count",
    "instructions/place.py": "an environment in that directory",
    "poolers/pgbouncer.py": "what a pooler reads and logs, in its temporary directory",
    "postgres/embedded.py": "what a server reads, in its temporary directory",
    "processes/child.py": "orders and reports, in the temporary directory of a program",
    "processes/heartbeat.py": "a sign of life, in the temporary directory of a run",
    "programs/run.py": "what a program reads and reports, in its temporary directory",
    "records/session.py": "a session grows line by line; a last line that was cut off is ignored",
    "site/build.py": "pages in the directory that `asv publish` makes again",
    "site/publisher.py": "a script in that directory",
}
"""Modules and folders that do not use `files.write` and `files.reading`, and for which files."""


def unprotected(source: str) -> list[int]:
    """The lines that write a file directly, or read JSON from one outside a context called `reading`."""
    tree = ast.parse(source)
    protected = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.With) and any("reading(" in ast.unparse(item) for item in node.items)
        for inner in ast.walk(node)
    }
    lines = []
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            text = ast.unparse(call)
            name = ast.unparse(call.func).rpartition(".")[2]
            writes = name in ("write_text", "write_bytes")
            writes |= name == "open" and any(
                isinstance(mode, ast.Constant) and str(mode.value)[:1] in "wax" for mode in call.args[-1:]
            )
            reads = ast.unparse(call.func) == "json.load" or (
                ast.unparse(call.func) == "json.loads" and (".read_text" in text or ".read_bytes" in text)
            )
            if writes or (reads and id(call) not in protected):
                lines.append(call.lineno)
    return lines


def test_all_our_files_are_written_and_read_in_one_way() -> None:
    assert unprotected("path.write_text(x)\nx = json.loads(path.read_text())") == [1, 2]
    harness = ROOT / "harness"
    broken = {}
    for path in harness.rglob("*.py"):
        name = str(path.relative_to(harness))
        exempt = any(name == entry or name.startswith(f"{entry}/") for entry in SHORT_LIVED)
        if exempt or "/inside/" in name or name == "system/files.py":
            continue
        if lines := unprotected(path.read_text()):
            broken[name] = lines
    assert broken == {}


def test_a_file_is_replaced_and_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o640)
    files.write(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(PoolstartError, match=r"none/file cannot be written: No such file.*; check that"):
        files.write(tmp_path / "none" / "file", "new")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (KeyError("name"), "it lacks 'name'"),
        (ValueError("no number"), "no number"),
        (PermissionError(errno.EACCES, "Permission denied"), "Permission denied"),
    ],
)
def test_a_damaged_file_is_named(error: Exception, message: str) -> None:
    with (
        pytest.raises(PoolstartError, match=f"^README.md cannot be read: {message}; restore it$"),
        files.reading(ROOT / "README.md", "restore it"),
    ):
        raise error


def test_errors_of_the_operating_system_come_with_a_hint() -> None:
    assert str(os_error_hint(OSError(errno.ENOSPC, "No space left on device", "/x"))) == (
        "/x: No space left on device; make room on that disk"
    )
    assert os_error_hint(OSError(errno.EBADF, "Bad file descriptor")) is None
