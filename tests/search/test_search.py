"""Messages lead to the page that explains them, or to none."""

import pytest

from harness.hazards import catalogue
from harness.hazards.hazard import Hazard
from harness.programs import head
from harness.search import search
from tests.support.messages import MESSAGES


def test_there_are_at_least_sixty_messages() -> None:
    assert len({text for text, _ in MESSAGES}) == len(MESSAGES) >= 60


@pytest.mark.parametrize(("text", "first"), MESSAGES)
def test_a_message_leads_to_its_page_or_to_none(text: str, first: str) -> None:
    found = search.rank(search.on_record(), text)
    assert next(iter(found.entries), "") == first


def test_a_message_that_several_pages_have_leads_to_all_of_them() -> None:
    found = search.rank(search.on_record(), "SSL error: decryption failed or bad record mac")
    assert found.exact
    assert {"hazard.preping_tls", "hazard.lazy_executor"} < set(found.entries)


def test_words_are_no_message() -> None:
    assert not search.rank(search.on_record(), "workers hang").exact


@pytest.mark.parametrize("hazard", catalogue.load_all(), ids=lambda hazard: hazard.id)
def test_every_message_heading_and_title_leads_to_its_hazard(hazard: Hazard) -> None:
    index = search.on_record()
    for message in hazard.messages:
        assert f"hazard.{hazard.id}" in search.rank(index, message).entries, message
    for text in (hazard.title, search.texts()[f"hazard.{hazard.id}"].heading):
        assert search.rank(index, text).entries[0] == f"hazard.{hazard.id}", text


def test_texts_are_of_entries_that_exist() -> None:
    known = {f"hazard.{id}" for id in catalogue.IDS} | {f"program.{name}" for name in head.names()}
    assert set(search.texts()) == known | {"stacks"}


def test_a_long_text_with_nothing_known_leads_nowhere() -> None:
    text = "\n".join(f"step {number}: loaded {number} widgets from the queue" for number in range(500))
    assert search.rank(search.on_record(), text).entries == ()
