"""asv starts benchmark processes for every release: their imports must be fast."""

import subprocess
import sys

HEAVY = {"sqlalchemy", "psycopg2", "pandas", "numpy", "rich", "typer"}


def test_a_benchmark_process_imports_nothing_heavy() -> None:
    names = ("controls", "startup", "query", "memory", "hazards", "exact")
    modules = ", ".join(f"benchmarks.{name}" for name in names)
    program = f"import {modules}, sys; print(*{HEAVY!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
