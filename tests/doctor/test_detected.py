"""docs/doctor.md and the catalogue of hazards name the same hazards, and each finding is one of them."""

import re

from harness.doctor import detected
from harness.hazards import catalogue
from harness.lookalikes import catalogue as lookalikes
from harness.system.environment import ROOT


def test_every_hazard_has_a_row() -> None:
    assert detected.table().keys() == set(catalogue.IDS)


def test_a_row_without_a_victim_says_why() -> None:
    for hazard, row in detected.rows().items():
        assert row.why or (row.victims and row.outside and row.command), hazard


def test_findings_name_hazards_or_look_alikes_of_the_catalogues() -> None:
    text = "".join(path.read_text() for path in (ROOT / "harness" / "doctor" / "judge").glob("*.py"))
    named = set(re.findall(r'(?:Finding|Seen)\(\s*"(\w+)"', text))
    assert named
    assert named <= {*catalogue.IDS, *lookalikes.IDS}
