"""The further strategies, in asv too.

Not in the default run: the classes are there only where POOLSTART_STRATEGIES names one of them, since asv
knows no benchmark that runs by name only. `POOLSTART_STRATEGIES=fork_atfork,fork_dispose asv run -b further`.
"""

from benchmarks import memory, query, startup
from harness import strategies
from harness.lifecycles import profile
from harness.lifecycles.cell import DATAFRAMES

CHOSEN = tuple(name for name in profile.current().strategies if name in strategies.FURTHER_IDS)

if CHOSEN:
    # What is chosen sets the results apart, so another choice is another series.
    PARAMS = (CHOSEN, DATAFRAMES)

    class FurtherStartup(startup.Startup):
        """How long until a worker runs, and until it has its first row."""

        params = PARAMS

    class FurtherQuery(query.Query):
        """How long a worker's queries take."""

        params = PARAMS

    class FurtherMemory(memory.Memory):
        """What a worker adds to the memory in use."""

        params = PARAMS
