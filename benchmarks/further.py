"""The same metrics of the further strategies (`harness/strategies/further.py`).

The classes exist only if POOLSTART_STRATEGIES names a further strategy, because asv cannot exclude a
benchmark from the default run: `POOLSTART_STRATEGIES=fork_atfork,fork_dispose asv run -b further`.
"""

from benchmarks import cpu, memory, query, startup
from harness import strategies
from harness.lifecycles import profile
from harness.lifecycles.cell import DATAFRAMES

SELECTED = tuple(name for name in profile.current().strategies if name in strategies.FURTHER_IDS)

if SELECTED:
    # The choice is part of the results' environment, so another choice is another series.
    PARAMS = (SELECTED, DATAFRAMES)

    class FurtherStartup(startup.Startup):
        """Times that the parent sees."""

        params = PARAMS

    class FurtherQuery(query.Query):
        """Times within the worker."""

        params = PARAMS

    class FurtherCpu(cpu.Cpu):
        """CPU times of the worker."""

        params = PARAMS

    class FurtherMemory(memory.Memory):
        """The memory of a worker after its second row."""

        params = PARAMS
