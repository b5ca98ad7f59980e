"""The head of a program's file, and the applications with and without the hook."""

import pytest

from harness.programs import head
from harness.programs.setup import requirements
from harness.system.errors import PoolstartError

HEAD = """\
# /// script
# dependencies = ["huey==3.0"]
#
# [tool.poolstart]
# title = "Huey"
# link = "https://huey.readthedocs.io"
# clock = "the call of `huey_consumer`"
# start = ["huey_consumer", "application.huey"]
# ///
"""


@pytest.mark.parametrize("name", head.names())
def test_the_two_applications_of_a_program_differ_in_the_hook_only(name: str) -> None:
    program = head.get(name)
    assert all("==" in package for package in requirements(program)), "they are pinned"
    hooked, bare = program.application(hook=True), program.application(hook=False)
    for text in (hooked, bare):
        compile(text, name, "exec")
    assert all(line in hooked for line in program.hook.splitlines())
    calls = [line for line in program.hook.splitlines() if "(" in line]
    assert not [line for line in calls if line in bare.splitlines()]
    assert (hooked == bare) == (not program.hook)


def test_a_head_is_read_into_a_program() -> None:
    program = head.parse("huey", HEAD)
    assert program.title == "Huey"
    assert program.packages == ("huey==3.0",)
    assert program.start == ("huey_consumer", "application.huey")
    assert not program.spreads


def test_an_unknown_program_is_one_line_that_names_the_others() -> None:
    with pytest.raises(PoolstartError, match="there is no program 'cellery'") as error:
        head.get("cellery")
    assert "celery" in error.value.remedy


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "huey.py has no head"),
        (HEAD.replace('# title = "Huey"\n', ""), "it lacks 'title'"),
        (HEAD.replace('# dependencies = ["huey==3.0"]\n', ""), "it lacks 'dependencies'"),
        (HEAD.replace("start =", "begin ="), "it has an unknown field 'begin'"),
        (HEAD.replace('"Huey"', "1"), "title: expected a string, not 1"),
        (HEAD.replace('"Huey"', "Huey"), "the head of huey.py cannot be read: Invalid value"),
    ],
)
def test_a_mistake_in_a_head_is_one_line_that_names_it(text: str, problem: str) -> None:
    with pytest.raises(PoolstartError, match=problem) as error:
        head.parse("huey", text)
    assert "programs/head.py" in error.value.remedy
    assert "\n" not in str(error.value)
