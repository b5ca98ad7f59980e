"""What a worker holds in memory after its second row, read by itself at a barrier."""

from benchmarks.cells import Cells, Run, Samples


class Memory(Cells):
    """The kernel's figures for one worker beside its parent (see `harness.system.memory`)."""

    unit = "bytes"

    def track_uss(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """Unique memory: with its page tables, what one more worker costs the machine."""
        return self.samples(run, strategy, dataframe, "uss")

    def track_page_tables(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """What the kernel holds to map the worker's memory: fork copies it with the parent's size."""
        return self.samples(run, strategy, dataframe, "page_tables")

    def track_uss_collected(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """Unique memory after a full garbage collection, which writes to all that it looks at.

        Of each parent's last worker alone.
        """
        return self.samples(run, strategy, dataframe, "uss_collected")

    def track_pss(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """Proportional memory: the worker's share of all pages, divided by who shares them."""
        return self.samples(run, strategy, dataframe, "pss")

    def track_rss(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """Resident memory, kept to show how it misleads: fork's shared pages count in full."""
        return self.samples(run, strategy, dataframe, "rss")

    def track_peak(self, run: Run, strategy: str, dataframe: str) -> Samples:
        """The highest resident memory so far (VmHWM)."""
        return self.samples(run, strategy, dataframe, "peak")
