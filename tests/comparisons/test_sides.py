"""What a side of a comparison may be."""

from harness.comparisons.sides import requirement


def test_a_side_is_a_version_a_folder_a_wheel_or_a_requirement_of_pip(tmp_path):
    assert requirement("2.9.10", "psycopg2-binary") == "psycopg2-binary==2.9.10"
    (tmp_path / "setup.py").touch()
    assert requirement(str(tmp_path), "sqlalchemy") == f"sqlalchemy @ {tmp_path.as_uri()}"
    wheel = tmp_path / "sqlalchemy-2.1.9-py3-none-any.whl"
    wheel.touch()
    assert requirement(str(wheel), "sqlalchemy").endswith(".whl")
    assert requirement("sqlalchemy @ git+https://x", "sqlalchemy") == "sqlalchemy @ git+https://x"
