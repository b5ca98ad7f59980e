"""Provenance: what an older record does not say is unknown, never invented."""

from dataclasses import replace

from harness.records.provenance import Provenance, days, measured_later


def test_here_has_everything() -> None:
    provenance = Provenance.here("embedded-18.4-tcp-trust", "poolstart record fleets")
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


def test_rows_that_were_measured_alike_share_a_sentence() -> None:
    first = Provenance("2.1.9", "2026-11-29T06:30:25", command="poolstart record hazards --only a --only b")
    same = replace(first, date="2026-11-29T07:00:00", command="poolstart record hazards --only c")
    other = replace(first, release="2.0.58")
    said = measured_later({"a": first, "b": first, "c": same, "d": other})
    assert said.count("measured separately") == 2
    assert said.startswith(" `a`, `b`, `c` were measured separately: 2026-11-29 with SQLAlchemy 2.1.9,")
    assert "by `poolstart record hazards --only NAME`. `d` was measured separately" in said
    assert "--only a --only b`." in measured_later({"d": other})


def test_parts_of_a_session_have_release_driver_python_server_and_machine_in_common() -> None:
    provenance = Provenance("2.1.9", "2026-11-29", "m", "3.11.7", "psycopg2 2.9.13", server="embedded")
    assert provenance.conditions(parents="3") == {
        "parents": "3",
        "release": "2.1.9",
        "driver": "psycopg2 2.9.13",
        "python": "3.11.7",
        "server": "embedded",
        "machine": "m",
    }
