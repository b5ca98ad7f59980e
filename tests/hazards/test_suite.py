"""Verdicts on record are used again where a trial would only repeat them, and nowhere else."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness import drivers
from harness.hazards import asv_run, catalogue, expected, matrix, suite, view
from harness.hazards.hazard import Outcome, Verdict
from harness.hazards.runner import Trials
from harness.lifecycles.asv_run import METADATA
from harness.lifecycles.profile import STRATEGIES
from harness.postgres import locate
from harness.postgres.server import Server
from harness.records.provenance import Provenance
from harness.system.environment import ROOT
from tests.support import pythons

HAZARD = catalogue.load("inherited_lock")


def test_the_digest_covers_every_module_of_the_suite_that_a_trial_imports(
    server: Server, tmp_path: Path
) -> None:
    imported = tmp_path / "imported"
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -X importtime "$@" 2>>{imported}\n')
    python.chmod(0o700)
    with Trials(server, python=python) as trials:
        for hazard, strategy in ((HAZARD.id, "fork_dispose"), ("interleaved", "fork_nodispose")):
            imported.write_text("")
            trials.run(catalogue.load(hazard), strategy)
            names = set(re.findall(r"\| +(harness[\w.]*)$", imported.read_text(), re.MULTILINE))
            assert len(names) > 10
            assert names <= suite.modules(hazard)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda text: text.replace("A hazard.", "A hazard, described."), True),
        (lambda text: text.replace("How it shows", "How users see it"), True),
        (lambda text: f"# why\n{text}", True),
        (lambda text: text.replace("poll(1)", "poll(2)"), False),
        (lambda text: text.replace('"spawn"', '"fork"'), False),
    ],
)
def test_the_code_of_a_hazard_is_what_runs_not_what_people_read(
    tmp_path: Path, change: Callable[[str], str], same: bool
) -> None:
    texts = [
        '"""A hazard."""\n'
        "def reproduce(parent):\n    return parent.poll(1)\n"
        'HAZARD = Hazard(symptom="How it shows", survives_control="spawn", reproduce=reproduce)\n'
    ]
    texts.append(change(texts[0]))
    assert texts[0] != texts[1]
    files = [tmp_path / f"{number}.py" for number in range(2)]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    assert (suite.code(files[0]) == suite.code(files[1])) is same


@pytest.fixture
def here(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Provenance:
    """What is on record, in this test only: each default strategy survives one hazard, measured here."""
    here = Provenance.here(server.identity)
    outcomes = [Outcome(HAZARD.id, name, Verdict.SURVIVES) for name in expected.strategies.IDS]
    monkeypatch.setattr(expected, "PATH", tmp_path / "hazards.json")
    expected.save(here, outcomes)
    return here


@pytest.mark.parametrize("version", [each for each in pythons.VERSIONS if each != pythons.RUNNING])
def test_the_digest_is_the_same_under_each_python(version: str) -> None:
    python = pythons.interpreter(version)
    if not python:
        pytest.skip(f"there is no Python {version}")
    program = f"from harness.hazards import suite; print(suite.digest({HAZARD.id!r}))"
    found = subprocess.run(
        [python, "-B", "-c", program],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
        text=True,
    )
    assert found.stdout.strip() == suite.digest(HAZARD.id)


def on_record(here: Provenance) -> int:
    return len(matrix.for_the_same_versions([HAZARD], ["spawn", "fork_dispose"], here))


def test_verdicts_are_used_again_with_the_same_versions_on_another_machine(here: Provenance) -> None:
    assert on_record(here) == on_record(replace(here, machine="another one", date="later")) == 2


@pytest.mark.parametrize("name", ["release", "driver", "python", "server", "frames"])
def test_no_verdict_is_used_again_with_another_version(here: Provenance, name: str) -> None:
    assert on_record(replace(here, **{name: f"{getattr(here, name)}1"})) == 0


def test_no_verdict_is_used_again_once_the_code_of_its_trial_is_another(
    here: Provenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suite, "digest", lambda hazard: "another")
    assert on_record(here) == 0


def test_the_list_of_hazards_names_those_whose_trials_have_changed_since(
    here: Provenance, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for digest, changed in ((suite.digest, False), (lambda hazard: "another", True)):
        monkeypatch.setattr(suite, "digest", digest)
        view.write_list("table", drivers.MEASURED)
        shown = " ".join(capsys.readouterr().out.split())
        assert (f"Tried before their trials were changed: {HAZARD.id}." in shown) == changed


def test_what_depends_on_the_machine_is_always_tried() -> None:
    # Figures; the server with TLS, whose version no record has.
    always = {hazard.id for hazard in catalogue.followed() if hazard.figures or hazard.needs_tls}
    assert "copied_frame" in always
    named = [catalogue.load(name) for name in always]
    table = expected.table_of()
    code = {hazard.id: suite.digest(hazard.id) for hazard in named}
    recorded = replace(table, code=code)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(expected, "load", lambda *_: {"2.1": recorded})
        assert matrix.for_the_same_versions(named, expected.strategies.IDS, table.provenance) == []


def test_an_asv_run_says_which_verdicts_it_did_not_try_and_tries_all_if_asked(
    server: Server,
    here: Provenance,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    metadata = tmp_path / "conditions.json"
    for name, value in (
        (locate.RUN, server.to_json()),
        (STRATEGIES, "fork_nodispose"),
        (METADATA, str(metadata)),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(catalogue, "followed", lambda: (HAZARD,))
    tried: list[str] = []
    measure = matrix.measure

    def counted(*arguments: object, **options: object) -> list[Outcome]:
        outcomes = measure(*arguments, **options)  # type: ignore[arg-type]
        tried.extend(outcome.strategy for outcome in outcomes)
        return outcomes

    monkeypatch.setattr(matrix, "measure", counted)
    verdicts = []
    for value in ("due", "all"):
        monkeypatch.setenv(asv_run.TRIALS, value)
        outcome = asv_run.read(asv_run.of_this_run(), HAZARD.id, "fork_nodispose")
        verdicts.append(outcome.verdict)
        on_file = json.loads(metadata.read_text())["verdicts_on_record"]
        said = "on record: 1 verdicts for the same versions" in capfd.readouterr().err
        used_again = value == "due"
        assert (on_file, said) == ({HAZARD.id: ["fork_nodispose"]} if used_again else {}, used_again)
        assert tried == ([] if used_again else ["fork_nodispose"])
    # What is on record in this test is not true.
    assert verdicts == [Verdict.SURVIVES, Verdict.AFFECTED]
