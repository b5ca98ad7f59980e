"""Commands and options of earlier versions: each names its replacement in one line, with exit status 2."""

import sys

import pytest

from harness import cli
from harness.cli import commands, renamed

OLD = [*((name,) for name in renamed.COMMANDS), *renamed.OPTIONS]


@pytest.mark.parametrize("arguments", OLD, ids=" ".join)
def test_an_old_name_names_its_replacement(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["poolstart", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(f"poolstart: `poolstart {' '.join(arguments)}` is replaced by ")
    assert err.count("\n") == 1


def test_no_name_is_old_and_new() -> None:
    assert not renamed.COMMANDS.keys() & commands.COMMANDS.keys()
    assert {command for command, _ in renamed.OPTIONS} <= commands.COMMANDS.keys()
