"""What the doctor must never do: in a fork hook, in a worker, and in what it shows."""

import ast
import re
from pathlib import Path

from harness.doctor.proof.programs import observed
from harness.doctor.run import INSIDE
from harness.postgres.server import Server

TREES = {path.stem: ast.parse(path.read_text()) for path in INSIDE.glob("*.py")}

WAITING = {
    "acquire",
    "checkedin",
    "checkedout",
    "status",
    "start",
    "join",
    "wait",
    "sleep",
    "getLogger",
    "mutex",
}
"""Attributes of pools, locks and threads that a fork hook must not call."""


def functions(module: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.walk(TREES[module]) if isinstance(node, ast.FunctionDef)}


def in_fork_hooks() -> list[ast.FunctionDef]:
    """The hooks, and all functions of their module that they call, directly or not."""
    known = {
        **functions("poolstart_watch"),
        **functions("poolstart_frames"),
        **functions("poolstart_processes"),
        **functions("poolstart_locks"),
    }
    found, waiting = {}, ["before_fork", "after_fork", "remember"]
    while waiting:
        name = waiting.pop()
        if name in known and name not in found:
            found[name] = known[name]
            waiting += [node.id for node in ast.walk(known[name]) if isinstance(node, ast.Name)]
            waiting += [node.attr for node in ast.walk(known[name]) if isinstance(node, ast.Attribute)]
    return list(found.values())


def test_a_fork_hook_imports_nothing_and_calls_nothing_that_waits() -> None:
    hooks = in_fork_hooks()
    assert {"before_fork", "after_fork", "held", "report", "guard"} <= {hook.name for hook in hooks}
    for hook in hooks:
        for node in ast.walk(hook):
            assert not isinstance(node, (ast.Import, ast.ImportFrom, ast.With)), hook.name
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in WAITING, hook.name


def test_observed_processes_never_list_objects_collect_log_or_start_threads() -> None:
    for path in INSIDE.glob("*.py"):
        text = path.read_text()
        assert not re.search(r"^\s*(import|from) (gc|logging|threading|subprocess|http|urllib)\b", text, re.M)
        assert "remote_exec" not in text
        assert "f_locals" not in text


def test_the_report_holds_no_password_query_or_more_of_a_url(server: Server, tmp_path: Path) -> None:
    url = server.sqlalchemy_url("victim").replace("poolstart@", "poolstart:unspoken@")
    assert "unspoken" in url
    path = tmp_path / "report.json"
    report = observed("fork", "broken", url, path)
    assert report["findings"]
    text = path.read_text()
    assert "unspoken" not in text
    assert "select 1" not in text
    assert "VICTIM_" not in text
