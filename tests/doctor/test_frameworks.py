"""gunicorn, uWSGI, Celery and others: broken, they are found in both ways; fixed, they are not accused."""

from pathlib import Path

import pytest

from harness.doctor.proof.frameworks import FOUND, found_outside, interpreter
from harness.doctor.proof.programs import doctor, observed, victim
from harness.postgres.server import Server
from tests.support.victims import together

pytestmark = pytest.mark.slow


def programs(variant: str) -> list[str]:
    """Those that have a hazard in both variants; the others have nothing to fix."""
    return [name for name, hazard in FOUND.items() if hazard or variant == "broken"]


@pytest.mark.parametrize("variant", ["broken", "fixed"])
def test_at_a_pid(server: Server, variant: str) -> None:
    python, url = interpreter(), server.sqlalchemy_url("victim")

    def look(name: str) -> object:
        with victim(name, variant, url, python) as pid:
            _, report = doctor(pid, "--watch", "6")
        if name == "threaded_pool" and variant == "broken":
            assert "ConnectionPool(...)" in report["findings"][0]["fix"]
        found = {finding["hazard"] for finding in report["findings"]}
        # Its worker has ended the session, which the parent may have noticed.
        return found - {"parent_closed"} if name == "asyncpg_worker" else found

    expected = {
        name: {found_outside(name)} - {""} if variant == "broken" else set() for name in programs(variant)
    }
    assert together(look, list(expected)) == expected


@pytest.mark.parametrize("variant", ["broken", "fixed"])
def test_as_a_command(server: Server, tmp_path: Path, variant: str) -> None:
    python, url = interpreter(), server.sqlalchemy_url("victim")

    def look(name: str) -> object:
        report = observed(name, variant, url, tmp_path / f"{name}.json", python=python)
        return {
            finding["hazard"]
            for finding in report["findings"]
            if finding["certainty"] in ("certain", "proven")
        }

    found = together(look, programs(variant))
    for name, hazards in found.items():
        wanted = {FOUND[name]} - {""} if variant == "broken" else set()
        # What its use leads to, such as parent_closed, may stand beside it.
        assert wanted <= set(hazards) if wanted else not hazards, (name, hazards)  # type: ignore[call-overload]
