"""Progress: lines on standard error, each step with the part it belongs to and the time left."""

from harness.console.progress import Pace, Progress, progress


def test_each_step_is_a_line_once(capsys) -> None:
    with progress("starting") as report:
        report("spawn")
        report("spawn")
        report("fork")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "spawn\nfork\n"


def test_the_steps_of_a_part_have_its_name() -> None:
    steps: list[str] = []
    for item, inner in Progress(steps.append).within("2.0.1").each(["a", "b"], name=str.upper):
        inner(f"measuring {item}")
    assert steps[:2] == ["2.0.1: A, 1 of 2", "2.0.1: A, 1 of 2: measuring a"]
    assert steps[2].startswith("2.0.1: B, 2 of 2")


def test_the_time_left_is_the_mean_of_the_steps_so_far() -> None:
    now = [0.0]
    pace = Pace(clock=lambda: now[0])
    assert pace.left(10) == ""
    now[0] = 60.0
    pace.step()
    assert pace.left(10) == "10 min"
    now[0] = 240.0
    pace.step()
    assert pace.left(10) == "20 min"
    assert Pace(seconds=12).left(5) == "60 s"
