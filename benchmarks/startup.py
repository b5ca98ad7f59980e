"""The time until a worker runs, until it has its first row, and until it has exited."""

from benchmarks.cells import CellBenchmark, Run, Samples


class Startup(CellBenchmark):
    """Times that the parent sees, of all its workers but the first unless the metric says otherwise."""

    unit = "seconds"

    def track_startup(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """From Process.start() to the first line of the worker function, imports included."""
        return self.samples(run, strategy, dataframe, "startup")

    def track_blocked(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """From the call of Process.start() until it returns: the parent can do nothing else."""
        return self.samples(run, strategy, dataframe, "blocked")

    def track_time_to_first_row(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """From Process.start() until the worker has its first row: startup and first query."""
        return self.samples(run, strategy, dataframe, "time_to_first_row")

    def track_first_worker(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """Time to first row of a parent's first worker: multiprocessing's helpers start as well."""
        return self.samples(run, strategy, dataframe, "first_worker")

    def track_exit(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """From the message that lets the worker go until its parent has reaped it."""
        return self.samples(run, strategy, dataframe, "exit")
