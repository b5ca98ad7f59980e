"""Tables in the terminal: at any width every cell stands there whole, and no line is wider."""

import io

import pytest
from rich.console import Console

from harness.console import terminal

HEADER = ["strategy", *(f"metric {number}, ms" for number in range(9))]
ROWS = [
    [f"{name}_{row}", *(f"{1000 * column + row}.5 ±{column}{row}.25" for column in range(9))]
    for row, name in enumerate(("fork", "forkserver_preload", "package.module_of_mine:STRATEGY"))
]


def shown(width: int, **options: int) -> str:
    console = Console(width=width, file=io.StringIO(), markup=False)
    terminal.print_table(console, HEADER, ROWS, **options)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 200])
def test_every_cell_is_whole_and_in_the_row_of_its_name(width: int) -> None:
    table = shown(width)
    assert max(map(len, table.splitlines())) <= width
    assert "…" not in table
    for name, *figures in ROWS:
        lines = [line for line in table.splitlines() if line.startswith(name)]
        for figure in figures:
            assert any(figure in line for line in lines), figure


def test_a_wide_terminal_has_one_table_and_a_narrow_one_several() -> None:
    assert shown(200).count("strategy ") == 1
    assert 1 < shown(80).count("strategy ") < shown(60).count("strategy ")


def test_brackets_are_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.print_text(terminal.output(), "a reason [/red] with [bold]brackets[/bold]")
    assert capsys.readouterr().out == "a reason [/red] with [bold]brackets[/bold]\n"


def test_a_sentence_is_one_line_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    sentence = "word " * 60 + "end"
    terminal.print_text(terminal.output(), sentence)
    terminal.print_pairs(terminal.output(), [("name", sentence)])
    assert capsys.readouterr().out == f"{sentence}\nname  {sentence}\n"


def test_csv_has_exactly_the_given_columns(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.print_csv(("a", "b"), [{"a": 'x, "y"', "b": None}, {"a": 1}])
    assert capsys.readouterr().out == 'a,b\n"x, ""y""",\n1,\n'
    with pytest.raises(ValueError, match="c"):
        terminal.print_csv(("a",), [{"a": 1, "c": 2}])
