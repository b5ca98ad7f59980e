"""Provenance: what an older record does not say is unknown, never invented."""

from harness.records.provenance import Provenance, days


def test_here_has_everything() -> None:
    provenance = Provenance.here("embedded-18.4-tcp-trust", "poolstart record pools")
    assert all(
        (provenance.release, provenance.date, provenance.machine, provenance.python, provenance.driver)
    )
    assert "unknown" not in str(provenance)


def test_what_is_not_on_record_is_shown_as_unknown() -> None:
    assert str(Provenance(release="2.1.9")) == (
        "on an unknown date with SQLAlchemy 2.1.9, an unknown driver, Python unknown, server unknown on an"
        " unknown machine"
    )
    assert Provenance().day == "unknown"


def test_days_are_the_first_and_the_last() -> None:
    assert days([]) == "unknown"
    assert days([Provenance(date="2026-11-25")]) == "2026-11-25"
    assert days([Provenance(date=day) for day in ("2026-11-28T08:00", "2026-11-25", "")]) == (
        "2026-11-25 to 2026-11-28"
    )
