"""The steps of the workflow that tracks releases: what fails shows, and costs nothing else."""

import json
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.system.environment import ROOT
from tests.support.package_index import PackageIndex

BIN = Path(sys.executable).parent

NEW = [f"2.1.{patch}" for patch in range(90, 95)]
"""New releases."""

UV = """#!/bin/sh -e
# Runs the real list of releases of this checkout; measurements take no time here.
shift
case "$1 $2" in
"poolstart releases") PYTHONPATH=$PWD exec {bin}/"$@" ;;
"asv run")
    release=${{3%^!}}
    case " $BROKEN " in *" $release "*) echo "asv: $release cannot be measured" >&2; exit 2 ;; esac
    mkdir -p results/test-2c
    printf '{{"version": 1}}' >results/test-2c/machine.json
    printf '{{"of": "%s"}}' "$release" >"results/test-2c/$release-x.json"
    printf '{{"release": "%s", "environment": "x"}}\\n' "$release" >>results/test-2c/conditions.jsonl
    ;;
"poolstart record")
    mkdir -p records
    row='{{"release": "%s", "strategy": "spawn", "provenance": {{"machine": "%s"}}}}'
    printf "[$row, $row]" "$7" m 2.0.0 m >records/ratios.json
    ;;
"poolstart compare")
    echo "$3 and $4 compared"
    for pair in $STATUSES; do
        if [ "${{pair%:*}}" = "$4" ]; then exit "${{pair#*:}}"; fi
    done
    ;;
esac
"""

GH = """#!/bin/sh -e
echo "$4" >>"$ISSUES"
cat "$6" >>"$ISSUES"
"""


@pytest.fixture(scope="module")
def index() -> Iterator[str]:
    """Lists the releases of the checkout, and new ones."""
    known = json.loads((ROOT / "harness" / "releases" / "releases.json").read_text())
    dates = {**known, **dict.fromkeys(NEW, "2027-01-01T00:00:00+00:00")}
    with PackageIndex() as server:
        server.offer(*((version, date.replace("+00:00", "Z"), False) for version, date in dates.items()))
        yield f"http://127.0.0.1:{server.server_port}/simple"


class Workflow:
    """The repository on the host, and the jobs that clone it."""

    def __init__(self, directory: Path, index: str) -> None:
        self.directory = directory
        self.issues = directory / "issues"
        self.issues.touch()
        tools = directory / "tools"
        tools.mkdir()
        for name, program in (("uv", UV.format(bin=BIN)), ("gh", GH)):
            (tools / name).write_text(program)
            (tools / name).chmod(0o755)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "PATH": f"{tools}:{os.environ['PATH']}",
            "UV_DEFAULT_INDEX": index,
            "REMOTE": str(directory / "host.git"),
            "BRANCH": "main",
            "ISSUES": str(self.issues),
            "GIT_CONFIG_GLOBAL": str(directory / "gitconfig"),
        }
        (directory / "gitconfig").write_text("[user]\n name = bot\n email = bot@example.org\n")
        first = directory / "first"
        first.mkdir()
        for name in (".ci", "harness", "asv.conf.json"):
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, first / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, first)
        self.git(first, "init", "--quiet", "--initial-branch", "main")
        self.git(first, "add", ".")
        self.git(first, "commit", "--quiet", "-m", "first")
        self.git(directory, "clone", "--quiet", "--bare", "first", "host.git")

    def git(self, where: Path, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=where, env=self.environment, capture_output=True, text=True, check=True
        ).stdout

    def job(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """A job: a fresh clone, in which the script runs."""
        clone = self.folder("job")
        self.git(self.directory, "clone", "--quiet", "host.git", str(clone))
        return subprocess.run(
            [clone / ".ci" / "track", *arguments],
            cwd=clone,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )

    def folder(self, name: str) -> Path:
        """The path of a new folder."""
        return self.directory / f"{name}{len(list(self.directory.iterdir()))}"

    def run(self, **environment: str) -> dict[str, int]:
        """All jobs, as the workflow runs them. Returns the exit status of each."""
        listed = self.job("list")
        assert listed.returncode == 0, listed.stderr
        statuses, measured = {}, self.folder("measured")
        for pair in json.loads(listed.stdout.removeprefix("releases=")):
            folder = measured / f"release-{pair['release']}"
            done = self.job("measure", pair["before"], pair["release"], str(folder), **environment)
            statuses[pair["release"]] = done.returncode
        stored = self.job("store", str(measured), **environment)
        print(stored.stdout, stored.stderr)
        statuses["store"] = stored.returncode
        return statuses

    def pushed(self) -> list[str]:
        """The titles of the commits on the host, the first one left out."""
        log = self.git(self.directory / "host.git", "log", "--reverse", "--format=%s", "main")
        return log.splitlines()[1:]

    def files(self, path: str) -> list[str]:
        return self.git(self.directory / "host.git", "ls-tree", "--name-only", f"main:{path}").splitlines()

    def content(self, path: str) -> str:
        return self.git(self.directory / "host.git", "show", f"main:{path}")


@pytest.fixture(scope="module")
def uploaded(tmp_path_factory: pytest.TempPathFactory, index: str) -> Path:
    """What the measurements of two releases have uploaded."""
    workflow = Workflow(tmp_path_factory.mktemp("uploaded"), index)
    folder = workflow.folder("measured")
    for before, release in (("2.1.9", "2.1.90"), ("2.1.90", "2.1.91")):
        done = workflow.job("measure", before, release, str(folder / f"release-{release}"))
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def workflow(tmp_path: Path, index: str) -> Workflow:
    return Workflow(tmp_path, index)


def test_an_index_that_is_down_fails_the_run(workflow: Workflow) -> None:
    listed = workflow.job("list", UV_DEFAULT_INDEX="http://127.0.0.1:1/simple")
    assert listed.returncode == 2
    assert "the package index at 127.0.0.1 cannot be used" in listed.stderr
    assert listed.stdout == ""


def test_each_of_several_releases_is_pushed_although_two_of_them_fail(workflow: Workflow) -> None:
    statuses = workflow.run(BROKEN="2.1.91", STATUSES="2.1.92:1 2.1.93:2 2.1.94:3")
    assert {name for name, status in statuses.items() if status} == {"2.1.91", "2.1.93"}
    stored = [release for release in NEW if release != "2.1.91"]
    assert workflow.pushed() == [f"Results: SQLAlchemy {release}" for release in stored]
    assert workflow.files("results/test-2c") == [
        *(f"{release}-x.json" for release in stored), "conditions.jsonl", "machine.json",
    ]  # fmt: skip
    rows = workflow.content("results/test-2c/conditions.jsonl").splitlines()
    assert [json.loads(row)["release"] for row in rows] == stored
    pairs = json.loads(workflow.content("records/ratios.json"))
    assert [row["release"] for row in pairs] == ["2.0.0", *stored]
    known = workflow.content("harness/releases/releases.json")
    assert list(json.loads(known))[-len(stored) :] == stored
    assert known == json.dumps(json.loads(known), indent=2) + "\n"
    assert workflow.files("records/comparisons") == [f"{release}.txt" for release in stored]
    assert workflow.content("records/comparisons/2.1.92.txt") == "2.1.91 and 2.1.92 compared\n"
    title, *body = workflow.issues.read_text().splitlines()
    assert title == "SQLAlchemy 2.1.92 is slower than the release before or uses more memory"
    assert body == ["```", "2.1.91 and 2.1.92 compared", "```"]
    # A week later only what could not be measured is new, and there is no release for a second time.
    assert workflow.job("list").stdout == 'releases=[{"before":"2.1.90","release":"2.1.91"}]\n'
    assert workflow.run() == {"2.1.91": 0, "store": 0}
    # Then there is nothing to do.
    assert workflow.job("list").stdout == "releases=[]\n"


NO_RESULTS: list[Callable[[Path], object]] = [
    lambda folder: (folder / "results" / "test-2c" / "2.1.90-x.json").symlink_to("/etc/passwd"),
    lambda folder: (folder / "results" / "test-2c" / "2.1.08-x.json").write_text("{}"),
    lambda folder: (folder / "results" / "test-2c" / "2.1.90-y.json").write_text("not JSON"),
    lambda folder: (folder / "results" / "Test 2c").mkdir(),
    lambda folder: (folder / "release.json").write_text('{"../x": "2027-01-01"}'),
    lambda folder: shutil.rmtree(folder / "results" / "test-2c"),
]


def test_what_is_no_result_of_the_release_is_not_stored_and_the_others_are(
    workflow: Workflow, uploaded: Path
) -> None:
    measured = workflow.folder("measured")
    shutil.copytree(uploaded / "release-2.1.91", measured / "release-2.1.91")
    for number, change in enumerate(NO_RESULTS):
        bad = shutil.copytree(uploaded / "release-2.1.90", measured / f"{number}")
        (bad / "results" / "test-2c" / "2.1.90-x.json").unlink()
        change(bad)
    done = workflow.job("store", str(measured))
    assert done.returncode == 1
    assert done.stdout.count("::error::not stored: ") == len(NO_RESULTS)
    assert workflow.pushed() == ["Results: SQLAlchemy 2.1.91"]


def test_a_push_of_someone_else_meanwhile_is_no_failure(workflow: Workflow, uploaded: Path) -> None:
    clone = workflow.directory / "clone"
    workflow.git(workflow.directory, "clone", "--quiet", "host.git", str(clone))
    first = workflow.directory / "first"
    (first / "README.md").touch()
    workflow.git(first, "add", ".")
    workflow.git(first, "commit", "--quiet", "-m", "theirs")
    workflow.git(first, "push", "--quiet", str(workflow.directory / "host.git"), "main")
    subprocess.run(
        [clone / ".ci" / "track", "store", uploaded], env=workflow.environment, check=True, timeout=300
    )
    assert workflow.pushed() == ["theirs", *(f"Results: SQLAlchemy {release}" for release in NEW[:2])]


def test_only_pairs_of_the_release_replace_those_on_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = runpy.run_path(str(ROOT / ".ci" / "store.py"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "records").mkdir()
    record, uploaded = tmp_path / "records" / "ratios.json", tmp_path / "new.json"

    def row(release: str, logs: float, before: str = "") -> dict[str, object]:
        of = {"release": release, "before": before, "strategy": "spawn"}
        return {**of, "provenance": {"machine": "m"}, "screening": {"uss": [logs]}}

    record.write_text(json.dumps([row("2.1.9", 0.1), row("2.1.90", 0.1)]))
    new = [row("2.1.8", 0.2), row("2.1.9", 0.2), row("2.1.90", 0.2), row("2.1.90", 0.2, "2.1.9")]
    uploaded.write_text(json.dumps(new))
    store["merge_ratios"](uploaded, "2.1.90")
    assert json.loads(record.read_text()) == [new[0], row("2.1.9", 0.1), *new[2:]]
