"""The catalogue of look-alikes is complete, and each says what distinguishes it."""

from importlib import resources

import pytest

from harness.hazards import catalogue as hazards
from harness.lookalikes import catalogue
from harness.lookalikes.lookalike import Lookalike
from harness.search import search
from harness.system.errors import PoolstartError


@pytest.fixture(params=catalogue.IDS)
def lookalike(request: pytest.FixtureRequest) -> Lookalike:
    return catalogue.load(request.param)


def test_every_file_is_in_the_catalogue() -> None:
    files = {path.name for path in resources.files("harness.lookalikes.all").iterdir()}
    assert {name for name in files if name.endswith(".toml")} == {f"{name}.toml" for name in catalogue.IDS}


def test_a_look_alike_has_all_its_texts(lookalike: Lookalike) -> None:
    assert lookalike.fixes
    assert lookalike.links
    assert all(link.startswith("https://") for link in lookalike.links)
    for text in (
        lookalike.title,
        lookalike.heading,
        lookalike.look_at,
        lookalike.description,
        lookalike.avoidance,
    ):
        assert text
        assert text == " ".join(text.split())


def test_its_id_is_not_that_of_a_hazard(lookalike: Lookalike) -> None:
    assert lookalike.id not in hazards.IDS


def test_code_to_copy_is_python(lookalike: Lookalike) -> None:
    for fix in lookalike.fixes:
        compile(fix.code, fix.title, "exec")


def test_its_title_heading_and_messages_lead_to_it(lookalike: Lookalike) -> None:
    index, entry = search.on_record(), f"lookalike.{lookalike.id}"
    for text in (lookalike.title, lookalike.heading, *lookalike.first):
        assert search.rank(index, text).entries[0] == entry, text
    for text in lookalike.also:
        found = search.rank(index, text)
        before = found.entries[: found.entries.index(entry)]
        assert entry in found.to_exclude or all(each.startswith(search.LOOKALIKE) for each in before), text


def test_what_to_look_at_first_leads_to_pages_that_exist() -> None:
    entries = {entry.id for entry in search.on_record().entries}
    assert {each.entry for each in catalogue.FIRST_LOOK} <= entries
    assert catalogue.FIRST_LOOK[0].entry == "hazard.shared_socket"


def test_an_unknown_look_alike_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(PoolstartError, match="known are idle_cut, failover"):
        catalogue.load("bad_luck")


def test_no_hazard_refers_to_another_for_its_cure() -> None:
    for hazard in hazards.load_all():
        assert not hazard.avoidance.lower().startswith("as for"), hazard.id
        for fix in hazard.fixes:
            compile(fix.code, fix.title, "exec")
