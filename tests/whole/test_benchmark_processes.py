"""asv starts benchmark processes for every release: their imports must be fast."""

import subprocess
import sys

import pytest

HEAVY = {"sqlalchemy", "psycopg2", "pandas", "numpy", "rich", "typer"}


@pytest.mark.parametrize("module", ["controls", "startup", "query", "memory", "hazards", "exact"])
def test_a_benchmark_process_imports_nothing_heavy(module: str) -> None:
    program = f"import benchmarks.{module}, sys; print(*{HEAVY!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
