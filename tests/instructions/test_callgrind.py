"""Profiles of callgrind are read as its documentation describes them."""

import shutil
from pathlib import Path

import pytest

from harness.instructions import callgrind
from harness.processes.errors import NotApplicable

PROFILE = """\
# callgrind format
version: 1
creator: callgrind-3.19.0
cmd: python -c pass
part: 1
positions: line
events: Ir
summary: 1000

ob=(1) /lib/libpython3.11.so
fl=(1) typeobject.c
fn=(1) _PyType_Lookup
0 20
cfn=(2) find_name_in_mro
calls=3 0
0 300

fn=(2)
0 250
cfn=(3) _Py_dict_lookup'2
calls=4 0
* 50

fn=(4) update_one_slot
+3 100
cfn=(2)
calls=1 0
+3 400

fn=(3)
0 40

fn=(5) _Py_dict_lookup
0 10

totals: 1000
"""


def lines():
    return PROFILE.splitlines(keepends=True)


def test_instructions_of_a_function_do_not_include_those_of_the_functions_that_it_calls():
    costs = callgrind.read(lines()).functions
    assert costs["update_one_slot"] == 100
    assert costs["find_name_in_mro"] == 250


def test_a_function_that_calls_itself_is_one_function():
    assert callgrind.read(lines()).functions["_Py_dict_lookup"] == 50


def test_searches_after_a_miss_of_the_attribute_cache_are_left_out_and_others_are_not():
    part = callgrind.read(lines())
    assert part.lookups == 300
    assert part.instructions == part.functions.total() - 300


def test_without_valgrind_it_is_not_applicable_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(NotApplicable, match="apt-get install valgrind"):
        callgrind.require()


def test_profiles_are_read_in_the_order_in_which_they_were_written(tmp_path):
    profiles = tmp_path / "profile"
    for number in (1, 2, 10, 11, 9, *range(3, 9)):
        Path(f"{profiles}.{number}").touch()
    assert [path.suffix for path in callgrind.parts(profiles)] == [f".{number}" for number in range(1, 12)]
