"""Messages lead to the page that explains them, or to none."""

from harness.hazards import catalogue
from harness.programs import head
from harness.search import search
from harness.search.words import words
from tests.support.messages import MESSAGES


def test_a_message_leads_to_its_page_or_to_none() -> None:
    assert len({text for text, _ in MESSAGES}) == len(MESSAGES) >= 60
    index = search.on_record()
    found = {text: next(iter(search.rank(index, text).entries), "") for text, _ in MESSAGES}
    assert [(text, first, found[text]) for text, first in MESSAGES if found[text] != first] == []


def test_a_message_that_several_pages_have_leads_to_all_of_them() -> None:
    found = search.rank(search.on_record(), "SSL error: decryption failed or bad record mac")
    assert found.exact
    assert {"hazard.preping_tls", "hazard.lazy_executor"} < set(found.entries)


def test_look_alikes_are_shown_however_many_hazards_have_the_message() -> None:
    ranked = [*(f"hazard.{number}" for number in range(9)), "lookalike.last"]
    assert search.shown(ranked) == (*(f"hazard.{number}" for number in range(6)), "lookalike.last")


def test_words_alone_give_no_look_alike_to_exclude() -> None:
    found = search.rank(search.on_record(), "hang in engine.connect()")
    assert found.to_exclude == ()


def test_a_number_that_a_driver_counts_up_does_not_matter() -> None:
    index = search.on_record()
    first, later = (search.rank(index, f'"_pg3_{number}" already exists') for number in (0, 41))
    assert first == later
    assert words("__asyncpg_stmt_1a__ _pg3_7 _pg3_0") == ["__asyncpg_stmt___", "_pg3_", "_pg3_"]


def test_every_message_heading_and_title_leads_to_its_hazard() -> None:
    index = search.on_record()
    for hazard in catalogue.load_all():
        entry = f"hazard.{hazard.id}"
        for message in hazard.messages:
            assert entry in search.rank(index, message).entries, message
        for text in (hazard.title, search.texts()[entry].heading):
            assert search.rank(index, text).entries[0] == entry, text


def test_texts_are_of_entries_that_exist() -> None:
    known = {f"hazard.{id}" for id in catalogue.IDS} | {f"program.{name}" for name in head.names()}
    assert set(search.texts()) == known | {"stacks"}
