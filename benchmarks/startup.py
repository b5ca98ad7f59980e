"""How long until a worker runs, and until it has its first row."""

from benchmarks.cells import Cells, Run, Samples


class Startup(Cells):
    """From `Process.start()` in the parent to the worker; of all workers of a parent but the first."""

    unit = "seconds"

    def track_startup(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """`Process.start()` called -> first line of the worker function, imports included."""
        return self.samples(run, strategy, dataframe, "startup")

    def track_blocked(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """`Process.start()` called -> returned: how long the parent can do nothing else."""
        return self.samples(run, strategy, dataframe, "blocked")

    def track_time_to_first_row(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """`Process.start()` called -> first row fetched: startup and first query of the same worker."""
        return self.samples(run, strategy, dataframe, "time_to_first_row")

    def track_first_worker(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """Time to first row of the first worker of each parent alone.

        There multiprocessing starts its helpers, and forkserver boots its server.
        """
        return self.samples(run, strategy, dataframe, "first_worker")

    def track_exit(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """Worker let go -> reaped by its parent."""
        return self.samples(run, strategy, dataframe, "exit")
