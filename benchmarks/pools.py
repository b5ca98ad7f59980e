"""How long a `multiprocessing.Pool` takes until its workers have their rows.

Not in the default run: the class is there only where POOLSTART_POOLS=1 asks for it, since asv knows no
benchmark that runs by name only. `POOLSTART_POOLS=1 asv run -b pools`.
"""

import math
import os
import sys
from pathlib import Path

from harness import strategies
from harness.system.errors import PoolstartError

Samples = dict[str, object] | float

if os.environ.get("POOLSTART_POOLS") == "1":
    # Not otherwise: it imports SQLAlchemy, and every benchmark process of a run imports every module.
    from harness.pools import measure as pools

    class Pools:
        """`Pool(n, initializer=...)`, each strategy's first step in the initializer.

        `version` changes whenever the measuring code changes what is measured.
        """

        params = (strategies.IDS, pools.WORKERS)
        param_names = ("strategy", "workers")
        version = "1"

        def setup_cache(self) -> str:
            """asv's working directory of this run, environment and release: the place of the figures."""
            return str(Path.cwd())

        def samples(self, place: str, strategy: str, workers: int, figure: str) -> Samples:
            try:
                found = pools.stored(Path(place), strategy, workers)
            except PoolstartError as error:
                sys.exit(f"poolstart: {error}")
            if found.reason:
                print(f"poolstart: n/a: {found.reason}", file=sys.stderr)
                return math.nan
            return {"samples": list(getattr(found, figure)), "number": 1}

        def track_first_row(self, place: str, strategy: str, workers: int) -> Samples:
            """`Pool()` called -> the first worker has its row."""
            return self.samples(place, strategy, workers, "first")

        def track_last_row(self, place: str, strategy: str, workers: int) -> Samples:
            """`Pool()` called -> the last worker has its row."""
            return self.samples(place, strategy, workers, "last")

        def track_uss(self, place: str, strategy: str, workers: int) -> Samples:
            """Unique memory of each worker, while all wait for their first task."""
            return self.samples(place, strategy, workers, "uss")

        track_first_row.unit = "seconds"  # type: ignore[attr-defined]
        track_last_row.unit = "seconds"  # type: ignore[attr-defined]
        track_uss.unit = "bytes"  # type: ignore[attr-defined]
