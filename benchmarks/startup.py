"""How long until a worker runs, and until it has its first row."""

from benchmarks.cells import Cells, Samples


class Startup(Cells):
    """From `Process.start()` in the parent to the worker."""

    unit = "seconds"

    def track_startup(self, place: str, strategy: str, dataframe: str) -> Samples:
        """`Process.start()` called -> first line of the worker function, imports included."""
        return self.samples(place, strategy, dataframe, "startup")

    def track_blocked(self, place: str, strategy: str, dataframe: str) -> Samples:
        """`Process.start()` called -> returned: how long the parent can do nothing else."""
        return self.samples(place, strategy, dataframe, "blocked")

    def track_time_to_first_row(self, place: str, strategy: str, dataframe: str) -> Samples:
        """`Process.start()` called -> first row fetched: startup and first query of the same worker."""
        return self.samples(place, strategy, dataframe, "time_to_first_row")

    def track_first_worker(self, place: str, strategy: str, dataframe: str) -> Samples:
        """Time to first row of the first worker of each parent alone: there forkserver boots its server.

        As many samples as parents, 3 by default.
        """
        return self.samples(place, strategy, dataframe, "first_worker")
