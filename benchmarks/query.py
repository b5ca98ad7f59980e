"""How long a query takes in a worker that has just started."""

from benchmarks.cells import Cells, Samples


class Query(Cells):
    """From the first line of the worker function to the worker's rows."""

    unit = "seconds"

    def track_first_query(self, place: str, strategy: str, dataframe: str) -> Samples:
        """First line of the worker function -> first row fetched: engine made usable, connect, query."""
        return self.samples(place, strategy, dataframe, "first_query")

    def track_second_query(self, place: str, strategy: str, dataframe: str) -> Samples:
        """A second checkout and query: NullPool connects again, a pool does not."""
        return self.samples(place, strategy, dataframe, "second_query")
