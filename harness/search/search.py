"""Finds the page that explains an error message, a stack or a few words.

The site (`static/search.js`) and the terminal rank by the same index, in two steps:

1. By message. A text matches a message if it contains all of it. It also matches if it is a part of it, or
   has four of its words in a row, one of them rare: no page is found by `the server`. Numbers do not count.
   The match with the most distinctive words is first. Titles and headings are messages too.
2. If there is none: by words. A page matches if it has most of the words, each weighted by how few pages have
   it. A word that no page has counts, by half, against all: no page is better than a wrong one. Words that
   only say where it happens (Celery, fork, a task) count for the order.

Stop words are those of English, and those that every traceback of SQLAlchemy has.

A message can have causes of two kinds: a connection in two processes, and a look-alike. Only an observation
can distinguish them, so if a hazard is first, its look-alikes are shown before it, with what to look at.
"""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from math import log
from typing import Any

from harness.hazards import catalogue, expected
from harness.hazards.hazard import Hazard
from harness.lookalikes import catalogue as lookalikes
from harness.programs import head
from harness.search import stacks
from harness.search.words import CONTEXT_WORDS, STOP, stem, stems, words
from harness.system.structure import structure

RUN = 4
"""The number of words in a row that identify a message."""

RARE = 0.25
"""The largest share of pages that may have a word for it to count as rare."""

UNKNOWN = 0.5
"""The weight of a word that no page has, as a share of that of a word that a single page has."""

SHARE = 0.6
"""The least share of the words, by weight, that a page must have."""

SHOWN = 6
"""The most pages that are shown, look-alikes excepted."""

LOOKALIKE = "lookalike."
"""The prefix of entries that are look-alikes."""


@dataclass(frozen=True)
class SearchTexts:
    """Texts that people search for, besides the text of the page; see symptoms.toml."""

    heading: str = ""
    first: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Phrase:
    """A message."""

    words: tuple[str, ...]
    first: bool
    """Whether its page comes before others with the same message."""


@dataclass(frozen=True)
class Entry:
    """A page, or a part of one."""

    id: str
    """`hazard.ID`, `lookalike.ID`, `program.NAME`, or `stacks`."""
    title: str
    phrases: tuple[Phrase, ...]
    words: tuple[str, ...]
    """The stems of its words, without those of messages."""
    strong: tuple[str, ...]
    """The stems of its title, and of the terms that people use for it."""


@dataclass(frozen=True)
class Index:
    """The index of all entries. Weights are integers, so that two implementations agree."""

    entries: tuple[Entry, ...]
    weights: dict[str, int]
    """The weight of each stem, which is higher the fewer pages have it."""
    unknown: int
    """The weight of a word that no page has."""
    rare: int
    """The least weight of a rare word."""
    stop: tuple[str, ...]
    context: tuple[str, ...]
    """The stems of words that count only for the order of pages, unless there are no others."""

    @property
    def data(self) -> dict[str, Any]:
        """The index for the site, with the parameters of the ranking."""
        return {**asdict(self), "run": RUN, "half": UNKNOWN, "share": SHARE, "shown": SHOWN}


@dataclass(frozen=True)
class Found:
    """The pages found, the best first."""

    entries: tuple[str, ...]
    exact: bool
    """Whether a message was found, or only words."""

    @property
    def to_exclude(self) -> tuple[str, ...]:
        """The look-alikes that an observation has to exclude before the first page counts."""
        if not self.exact or self.entries[0].startswith(LOOKALIKE):
            return ()
        return tuple(entry for entry in self.entries if entry.startswith(LOOKALIKE))


@cache
def texts() -> dict[str, SearchTexts]:
    """The content of symptoms.toml, by entry."""
    source = resources.files("harness.search") / "symptoms.toml"
    content = tomllib.loads(source.read_text(encoding="utf-8"))
    programs = content.pop("programs")
    named = {f"hazard.{name}" if name != "stacks" else name: fields for name, fields in content.items()}
    named |= {f"program.{name}": fields for name, fields in programs.items()}
    return {name: structure(SearchTexts, fields) for name, fields in named.items()}


def index(hazards: Iterable[Hazard], recorded: Sequence[stacks.WaitingStack]) -> Index:
    """The index of these hazards, of all look-alikes and programs, and of the recorded stacks."""
    waiting: dict[str, list[str]] = {}
    for stack in recorded:
        waiting.setdefault(stack.hazard, []).extend(stack.phrases)
    entries = [
        entry(
            f"hazard.{hazard.id}",
            hazard.title,
            hazard.symptom,
            first=waiting.get(hazard.id, ()),
            also=hazard.messages,
        )
        for hazard in hazards
    ]
    entries += [
        entry(
            f"{LOOKALIKE}{each.id}",
            each.title,
            each.look_at,
            SearchTexts(each.heading, each.first, each.also, (each.id, *each.words)),
        )
        for each in lookalikes.load_all()
    ]
    entries.append(entry("stacks", "Which hang is it? By the stack of a worker", ""))
    entries += [entry(f"program.{name}", head.get(name).title, head.get(name).hook) for name in head.names()]
    return weighted(entries)


def weighted(entries: Sequence[Entry]) -> Index:
    """An index with the weight of each word."""
    counts: dict[str, int] = {}
    for each in entries:
        in_messages = stems(" ".join(word for phrase in each.phrases for word in phrase.words))
        for word in {*each.words, *in_messages}:
            counts[word] = counts.get(word, 0) + 1

    def weight(count: float) -> int:
        return round(1000 * log(1 + len(entries) / count))

    return Index(
        tuple(entries),
        {stem: weight(count) for stem, count in sorted(counts.items())},
        weight(1),
        weight(RARE * len(entries)),
        tuple(sorted(STOP)),
        tuple(stems(CONTEXT_WORDS)),
    )


def entry(
    id: str,
    title: str,
    text: str,
    own: SearchTexts | None = None,
    *,
    first: Iterable[str] = (),
    also: Iterable[str] = (),
) -> Entry:
    """An entry with its own search texts, by default those in symptoms.toml. `first`, `also`: messages."""
    own = own or texts().get(id, SearchTexts())
    preferred = [*first, *own.first]
    others = [*also, *own.also, title, *filter(None, [own.heading])]
    strong = stems(" ".join((title, *own.words)))
    return Entry(
        id,
        title,
        tuple(Phrase(tuple(words(text)), True) for text in preferred)
        + tuple(Phrase(tuple(words(text)), False) for text in others),
        tuple(dict.fromkeys((*strong, *stems(text)))),
        tuple(strong),
    )


def rank(index: Index, text: str) -> Found:
    """The pages for a text."""
    by_message = ranked_by_message(index, words(text))
    if by_message:
        return Found(shown(by_message), True)
    return Found(tuple(ranked_by_words(index, stems(text))[:SHOWN]), False)


def shown(ranked: Sequence[str]) -> tuple[str, ...]:
    """The entries to show, in their order: all look-alikes, and the best of the others."""
    alike = [entry for entry in ranked if entry.startswith(LOOKALIKE)]
    others = [entry for entry in ranked if entry not in alike][:SHOWN]
    return tuple(entry for entry in ranked if entry in alike or entry in others)


def ranked_by_message(index: Index, query: Sequence[str]) -> list[str]:
    """The entries with a message that the text matches, the best first."""
    ranked = []
    for number, each in enumerate(index.entries):
        matches = [
            (-weight, not phrase.first)
            for phrase in each.phrases
            if (weight := match_weight(index, query, phrase.words))
        ]
        if matches:
            ranked.append((*min(matches), number, each.id))
    return [id for *_, id in sorted(ranked)]


def match_weight(index: Index, query: Sequence[str], message: Sequence[str]) -> int:
    """The weight of the words that a text and a message have in common in a row; 0 if they do not match."""
    run = longest_run(query, message)
    if len(run) < min(RUN, len(message), len(query)) or not run:
        return 0
    telling = [stem(word) for word in run if word not in STOP]
    if len(run) < len(query) and all(word in index.context for word in telling):
        return 0
    weights = [index.weights.get(word, index.unknown) for word in telling]
    whole = len(run) == len(message)
    return sum(weights) if whole or max(weights, default=0) >= index.rare else 0


def longest_run(query: Sequence[str], message: Sequence[str]) -> Sequence[str]:
    """The longest sequence of words in both."""
    best, end = 0, 0
    lengths = [0] * (len(message) + 1)
    for word in query:
        for at in range(len(message), 0, -1):
            lengths[at] = lengths[at - 1] + 1 if message[at - 1] == word else 0
            if lengths[at] > best:
                best, end = lengths[at], at
    return message[end - best : end]


def ranked_by_words(index: Index, query: Sequence[str]) -> list[str]:
    """The entries that have most of the words, the best first."""
    telling = [word for word in query if word not in index.context]
    total = sum(index.weights.get(word, UNKNOWN * index.unknown) for word in telling)
    ranked = []
    for number, each in enumerate(index.entries):
        known = [word for word in query if word in each.words]
        share = sum(index.weights[word] for word in known if word in telling)
        if known and share >= SHARE * total:
            weight = sum(index.weights[word] * (1 + (word in each.strong)) for word in known)
            ranked.append((-weight, number, each.id))
    return [id for *_, id in sorted(ranked)]


@cache
def on_record() -> Index:
    """The index of all hazards, with the stacks on record."""
    return index(catalogue.load_all(), stacks.recorded(expected.load()))
