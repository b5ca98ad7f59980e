"""Waiting with a deadline."""

import itertools

from harness.processes.wait import wait_until


def test_it_returns_the_first_accepted_result() -> None:
    numbers = itertools.count()
    assert wait_until(lambda: next(numbers), 60, accept=lambda number: number == 3, poll=0) == 3


def test_it_returns_the_last_result_after_the_deadline() -> None:
    read: list[int] = []

    def number() -> int:
        read.append(len(read))
        return read[-1]

    # How often it reads depends on how soon a busy machine lets it go on after a pause.
    assert wait_until(number, 0.3, accept=lambda _: False, poll=0.001) == read[-1] > 0


def test_it_reads_once_without_any_time() -> None:
    assert wait_until(lambda: "ready", 0) == "ready"
