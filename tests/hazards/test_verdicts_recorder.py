"""`poolstart record verdicts`: a machine that has tried nothing yet keeps what others have put on record."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.cli.commands import app
from harness.hazards.bisection import release_verdicts, tried
from harness.hazards.bisection.release_verdicts import ReleaseVerdicts
from harness.postgres import locate
from harness.postgres.server import Server
from harness.records.provenance import Provenance

SERVER = Server("embedded", "", "18.4", "tcp", "trust")


def test_a_new_machine_does_not_put_its_own_trials_in_place_of_the_record(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here, path = Provenance.here(SERVER.identity), tmp_path / "verdicts.json"
    known = ReleaseVerdicts(
        ("2.0.0", "2.1.0"), ("2.0.0", "2.1.0"), {"unpicklable": {"spawn": [("2.0.0", "affected")]}},
        replace(here, machine="another machine"),
    )  # fmt: skip
    record = release_verdicts.record
    monkeypatch.setattr(tried, "DIRECTORY", tmp_path / "tried")
    monkeypatch.setattr(release_verdicts, "load", lambda *_: known)
    monkeypatch.setattr(release_verdicts, "record", lambda *args: record(*args, path))
    monkeypatch.setattr(locate, "server", lambda: nullcontext(SERVER))
    done = CliRunner().invoke(app, ["record", "verdicts", "--minutes", "0"], catch_exceptions=False)
    assert "2 releases" in done.stdout
    # Nothing was tried: the record and its provenance stay as they are.
    assert not path.exists()
