"""Which programs can run on several hosts, and what that needs."""

import os

import pytest

from harness.programs import head, setup
from harness.system.errors import PoolstartError


def test_without_names_all_programs_that_spread_their_workers_are_selected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(setup, "require_root", lambda: None)
    selected = [program.name for program in setup.select([], 2)]
    assert "celery" in selected
    assert "gunicorn" not in selected
    assert [program.name for program in setup.select([], 1)] == list(head.names())


def test_a_program_that_cannot_spread_its_workers_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "require_root", lambda: None)
    with pytest.raises(PoolstartError, match="gunicorn has all its workers on one host") as error:
        setup.select(["celery", "gunicorn"], 2)
    assert "celery, dask" in error.value.remedy


def test_several_hosts_need_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PoolstartError, match="only root"):
        setup.select(["celery"], 2)


def test_several_hosts_need_the_embedded_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "require_root", lambda: None)
    monkeypatch.setattr(setup.locate, "identity", lambda: "external-17.0-tls-md5")
    with pytest.raises(PoolstartError, match="reach the embedded server only"):
        setup.select(["celery"], 2)
