"""The asv benchmarks: thin classes, one module a subject. What they measure and how is in `harness/`.

Benchmarks of lifecycles return samples in seconds or bytes, of which asv stores the median, its 99 % interval
and the quartiles. All classes of one subject share one measurement: the first to run measures, and the others
read what it stored (`setup_cache`).
"""

import sys
from pathlib import Path

# asv runs benchmarks with the environment's Python, where the harness is not installed, and removes
# PYTHONPATH.
sys.path.insert(0, str(Path(__file__).parents[1]))
