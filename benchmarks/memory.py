"""What a worker holds in memory after its second row, read by itself at a barrier."""

from benchmarks.cells import Cells, Samples


class Memory(Cells):
    """The kernel's figures for one worker beside its parent (see `harness.system.memory`)."""

    unit = "bytes"

    def track_uss(self, place: str, strategy: str, dataframe: str) -> Samples:
        """Unique memory: what one more worker costs the machine."""
        return self.samples(place, strategy, dataframe, "uss")

    def track_pss(self, place: str, strategy: str, dataframe: str) -> Samples:
        """Proportional memory: the worker's share of all pages, divided by who shares them."""
        return self.samples(place, strategy, dataframe, "pss")

    def track_rss(self, place: str, strategy: str, dataframe: str) -> Samples:
        """Resident memory, kept to show how it misleads: fork's shared pages count in full."""
        return self.samples(place, strategy, dataframe, "rss")

    def track_peak(self, place: str, strategy: str, dataframe: str) -> Samples:
        """The highest resident memory so far (VmHWM)."""
        return self.samples(place, strategy, dataframe, "peak")
