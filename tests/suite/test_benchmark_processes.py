"""asv starts hundreds of benchmark processes a run: what they import is paid hundreds of times."""

import subprocess
import sys

import pytest

HEAVY = {"sqlalchemy", "psycopg2", "pandas", "numpy", "rich", "typer"}


@pytest.mark.parametrize("module", ["startup", "query", "memory", "hazards"])
def test_a_benchmark_process_imports_nothing_heavy(module: str) -> None:
    program = f"import benchmarks.{module}, sys; print(*{HEAVY!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
