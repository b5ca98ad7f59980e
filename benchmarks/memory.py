"""The memory of a worker after its second row, while it waits for its parent."""

from benchmarks.cells import CellBenchmark, Run, Samples


class Memory(CellBenchmark):
    """The kernel's figures for one worker, whose parent is running (`harness.system.memory`)."""

    unit = "bytes"

    def track_uss(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """Memory that only this worker holds after its second row: what one more worker costs."""
        return self.samples(run, strategy, dataframe, "uss")

    def track_page_tables(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """Kernel memory that maps the worker's memory: fork copies it, so it grows with the parent."""
        return self.samples(run, strategy, dataframe, "page_tables")

    def track_uss_collected(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """Unique memory after a full garbage collection, which writes to all objects, shared ones too."""
        return self.samples(run, strategy, dataframe, "uss_collected")

    def track_pss(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """Memory of the worker, each shared page divided by the number of processes that share it."""
        return self.samples(run, strategy, dataframe, "pss")

    def track_rss(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """Resident memory, which counts shared pages in full and so misleads for forked workers."""
        return self.samples(run, strategy, dataframe, "rss")
