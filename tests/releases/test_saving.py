"""What asv stores is replaced as a whole: a killed run or a full disk loses nothing that was there."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import asv.util
import pytest
from asv.results import Results

from harness.releases import saving, stored
from harness.system.environment import ROOT
from harness.system.errors import PoolstartError
from tests.support.results import few

SAVES = {
    "2.1.09-x.json": "Results({'machine': 'm'}, {}, '2.1.09', 0, '3', 'x', {}).save(directory)",
    "machine.json": "machine.save(directory)",
    "benchmarks.json": "benchmarks.save()",
    ".asv-machine.json": "MachineCollection.save('m', {'machine': 'm'}, _path=path)",
}
"""The files that asv stores, and how."""

PROGRAM = """
import json, os, resource, signal, sys
from types import SimpleNamespace
from asv.benchmarks import Benchmarks
from asv.machine import Machine, MachineCollection
from asv.results import Results
from harness.releases import saving

directory, path, way = sys.argv[1:]
machine, benchmarks = Machine(), Benchmarks.__new__(Benchmarks)
machine.machine = ""
benchmarks._conf, benchmarks._all_benchmarks = SimpleNamespace(results_dir=directory), {}
dump = json.dump

def cut_off(data, file, **options):
    file.write('{"version": ')
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)

if way == "killed":
    json.dump = cut_off
elif way == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
"""


def save(path: Path, saves: str, way: str) -> "subprocess.CompletedProcess[str]":
    # asv puts the results of a machine into a folder of that name.
    directory = path.parents[1] if path.parent.name == "m" else path.parent
    return subprocess.run(
        [sys.executable, "-c", PROGRAM + saves, str(directory), str(path), way],
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize(
    ("name", "way"), [*((name, "killed") for name in SAVES), ("benchmarks.json", "full")]
)
def test_a_save_that_fails_leaves_the_old_file_and_the_next_one_works(
    tmp_path: Path, name: str, way: str
) -> None:
    path = tmp_path / ("m" if name.startswith("2") else ".") / name
    path.parent.mkdir(exist_ok=True)
    old = json.dumps({"version": 1, "what": {"was": "there"}})
    path.write_text(old)
    done = save(path, SAVES[name], way)
    if way == "killed":
        assert done.returncode == -signal.SIGKILL, done.stderr
    else:
        assert done.stderr.splitlines()[-1] == f"OSError: [Errno 27] File too large: '{path}'"
    assert path.read_text() == old
    assert save(path, SAVES[name], "done").returncode == 0
    assert path.read_text() != old
    assert json.loads(path.read_text())
    assert list(path.parent.iterdir()) == [path], "what the killed one left is gone"


def test_a_file_that_was_cut_off_is_named_and_the_others_are_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut, *others = few(tmp_path)
    cut.write_text(cut.read_text()[:1000])
    assert [path for path, _ in stored.results(tmp_path)] == others
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("poolstart: warning: ")
    assert cut.name in line
    assert line.endswith("restore it with git, or remove it and measure again; it is left out")
    list(stored.results(tmp_path))
    assert capsys.readouterr().err == "", "once is enough"
    for path in others:
        path.write_text("")
    with pytest.raises(PoolstartError, match=cut.name):
        list(stored.results(tmp_path))


@pytest.mark.parametrize("text", ["{", "[]"])
def test_asv_measures_a_release_whose_file_was_cut_off(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    result = Results({"machine": "m"}, {}, "2.1.09", 0, "3", "x", {})
    path = tmp_path / "m" / "2.1.09-x.json"
    path.parent.mkdir()
    path.write_text(text)
    result.load_data(str(tmp_path))
    assert "2.1.09-x.json is damaged" in caplog.text
    result.save(str(tmp_path))
    assert Results.load(str(path)).commit_hash == "2.1.09"
    assert Results.load_data is saving.load_data_that_is_whole


def test_the_patch_for_asv_applies_to_the_installed_one_and_keeps_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "asv").mkdir()
    shutil.copy(asv.util.__file__, tmp_path / "asv" / "util.py")
    subprocess.run(
        ["git", "apply", ROOT / "docs" / "asv-atomic.patch"], cwd=tmp_path, check=True, timeout=300
    )
    # Its imports are relative to the package: the rest of that is the installed one.
    program = (
        "import asv, importlib.util, sys\n"
        "found = importlib.util.spec_from_file_location('asv.patched', sys.argv[1])\n"
        "patched = importlib.util.module_from_spec(found)\n"
        "found.loader.exec_module(patched)\n"
        "path = sys.argv[2]\n"
        "patched.write_json(path, {'written': 'whole'}, 1)\n"
        "patched.write_json(path, {'no JSON': object()}, 1)\n"
    )
    path = tmp_path / "folder" / "x.json"
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "asv" / "util.py", path],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "TypeError" in done.stderr
    assert json.loads(path.read_text()) == {"written": "whole", "version": 1}
    assert list(path.parent.iterdir()) == [path]
