"""How often the procedure for the newest release finds a change of some size, by simulation.

`python -m harness.history.sensitivity.power` prints the table of docs/statistics.md; it takes two minutes.
Pairs are drawn from a normal distribution with the scatter of one pair of parents, or from Student's with
three degrees of freedom, whose tails are longer.
"""

from math import exp, log1p

import numpy as np

from harness.history import paired
from harness.history.paired import PairedChange
from harness.history.reference import DECIDING, SCREENING

SEED = 20

SCATTERS = {"quiet": 0.008, "busy": 0.013}
"""One standard deviation of a pair's logarithm, of CPU time to the first row: measured for a preloading fork
server at a load of nine (0.011 to 0.014), and assumed for a quiet machine."""

CHANGES = (0.0, 0.01, 0.02, 0.03)

RUNS = 4000

TAILED = 3
"""Degrees of freedom of the distribution with long tails."""

SMALLEST = 0.01
"""The smallest change of a time that counts."""


def found(
    change: float, scatter: float, runs: int = RUNS, *, tailed: bool = False, seed: int = SEED
) -> float:
    """The share of `runs` in which a relative change of the newest release is reported.

    Both it and the release before are paired with the reference, in two stages.
    """
    rng = np.random.default_rng(seed)

    def logs(number: int, middle: float) -> list[float]:
        # Student's distribution with three degrees of freedom has a standard deviation of the root of three.
        noise = rng.standard_t(TAILED, number) / TAILED**0.5 if tailed else rng.standard_normal(number)
        drawn: list[float] = (middle + scatter * noise).tolist()
        return drawn

    def stage(number: int) -> PairedChange:
        middle, low, high, p = paired.between(logs(number, 0.0), logs(number, log1p(change)))
        return PairedChange(
            "", "", "cpu_first_row", "fork_dispose", "none", exp(middle), exp(low), exp(high), p, number,
            SMALLEST, "",
        )  # fmt: skip

    return sum(stage(SCREENING).suspicious and stage(DECIDING).certain for _ in range(runs)) / runs


def main() -> None:
    for name, scatter in SCATTERS.items():
        for tailed in (False, True):
            shares = [f"{found(change, scatter, tailed=tailed):.2%}" for change in CHANGES]
            print(f"{name}, {'long tails' if tailed else 'normal'}: {', '.join(shares)}")


if __name__ == "__main__":
    main()
