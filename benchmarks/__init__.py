"""What is measured: thin asv classes, one module a subject. How it is measured is in `harness/`.

Every benchmark returns samples, in seconds or bytes: asv keeps their median with its 99 % interval and
quartiles. All of one subject share their lifecycles (`harness.outside.batches`).
"""

import sys
from pathlib import Path

# asv runs benchmarks by the environment's Python, where the harness is not installed, and takes
# PYTHONPATH away from them.
sys.path.insert(0, str(Path(__file__).parents[1]))
