"""How long a query takes in a worker that has just started."""

from benchmarks.cells import Cells, Run, Samples


class Query(Cells):
    """From the first line of the worker function to the worker's rows."""

    unit = "seconds"

    def track_engine(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """First line of the worker function -> engine usable: created, disposed, or nothing to do."""
        return self.samples(run, strategy, dataframe, "engine")

    def track_first_query(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """First line of the worker function -> first row fetched: engine made usable, connect, query."""
        return self.samples(run, strategy, dataframe, "first_query")

    def track_second_query(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """A second checkout and query: NullPool connects again, a pool does not."""
        return self.samples(run, strategy, dataframe, "second_query")

    def track_collect(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """A full garbage collection in a worker after its second row: what one costs that falls into a phase.

        Of each parent's last worker alone.
        """
        return self.samples(run, strategy, dataframe, "collect")
