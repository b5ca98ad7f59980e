"""The CPU time of a worker, which waiting for a processor or the server does not lengthen."""

from benchmarks.cells import CellBenchmark, Run, Samples


class Cpu(CellBenchmark):
    """CPU times of the worker's process, and of its parent in `Process.start()`, user and kernel."""

    unit = "seconds"

    def track_cpu_first_row(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """CPU time that the worker has used when it has its first row; waiting is not included."""
        return self.samples(run, strategy, dataframe, "cpu_first_row")

    def track_cpu_start(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """CPU time of the parent's thread in Process.start(), which a worker beside it does not lengthen."""
        return self.samples(run, strategy, dataframe, "cpu_start")

    def track_cpu_startup(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """CPU time that the worker has used at the first line of its function, imports included."""
        return self.samples(run, strategy, dataframe, "cpu_startup")

    def track_cpu_engine(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """CPU time from the first line of the worker function until its engine is usable."""
        return self.samples(run, strategy, dataframe, "cpu_engine")

    def track_cpu_first_query(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """CPU time from the first line of the worker function to its first row."""
        return self.samples(run, strategy, dataframe, "cpu_first_query")

    def track_cpu_second_query(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """CPU time from the first row to the second."""
        return self.samples(run, strategy, dataframe, "cpu_second_query")
