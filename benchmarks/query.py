"""The time that queries take in a worker that has just started."""

from benchmarks.cells import CellBenchmark, Run, Samples


class Query(CellBenchmark):
    """Times within the worker, from the first line of its function on."""

    unit = "seconds"

    def track_engine(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """From the first line of the worker function until its engine is usable: created or disposed."""
        return self.samples(run, strategy, dataframe, "engine")

    def track_first_query(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """From the first line of the worker function to its first row: engine, connection and query."""
        return self.samples(run, strategy, dataframe, "first_query")

    def track_second_query(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """From the first row to the second by another checkout: NullPool connects again."""
        return self.samples(run, strategy, dataframe, "second_query")

    def track_collect(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """A full garbage collection after the second row, in a parent's last worker."""
        return self.samples(run, strategy, dataframe, "collect")
