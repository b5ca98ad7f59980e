"""What parents of pairs import first: each import after it leaves memory behind, at random."""

import subprocess
import sys

PROGRAM = """
from harness import scattered
import decimal, fractions, json
sizes = [len(each) for each in scattered._held]
scattered.stop()
import csv, html
assert len(sizes) == len(scattered._held)
print(sizes)
"""


def test_each_import_is_preceded_by_objects_of_random_number_and_size() -> None:
    one, other = (subprocess.check_output([sys.executable, "-c", PROGRAM], timeout=60) for _ in range(2))
    assert one != other
    assert len(one.split()) > 20


def test_nothing_is_left_of_it_once_it_has_stopped() -> None:
    code = "import sys; before = list(sys.meta_path); from harness import scattered; scattered.stop()"
    subprocess.run([sys.executable, "-c", f"{code}; assert sys.meta_path == before"], timeout=60, check=True)


def test_a_fork_server_that_has_preloaded_everything_scatters_no_imports_of_its_workers() -> None:
    code = """
import sys
before = list(sys.meta_path)
from harness import scattered
assert sys.meta_path != before
import harness.lifecycles.inside.settled
assert sys.meta_path == before
"""
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)
