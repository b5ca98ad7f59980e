"""Profiles: which strategies, how many blocks and workers, and how large a DataFrame."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from harness import drivers, strategies
from harness.strategies import Strategy
from harness.system import memory
from harness.system.errors import PoolstartError
from harness.system.memory import MIB

PROFILE = "POOLSTART_PROFILE"
"""Environment variable: the name of a profile."""

DATAFRAME = "POOLSTART_DATAFRAME_MIB"
"""Environment variable: the size of the `large` DataFrame in MiB."""

STRATEGIES = "POOLSTART_STRATEGIES"
"""Environment variable: the strategies to measure, separated by commas."""

MEMORY_FACTOR = 2.5
"""Free memory that a cell needs, as a multiple of its DataFrame: itself, its construction, a copy."""


@dataclass(frozen=True)
class Profile:
    """The amount of measuring."""

    name: str
    blocks: int
    """The least number of blocks, and so of samples of each metric: a parent in each."""
    budget: float
    """Seconds after which no block beyond `blocks` begins."""
    forks: int
    """Workers of a parent that take milliseconds each, one after another."""
    boots: int
    """Workers of a parent that each boot an interpreter and import."""
    dataframe_mib: int
    """The resident size of the `large` DataFrame."""
    deadline: float
    """Seconds after which a worker counts as hung: until its report, and from there until it is reaped."""
    hazards: str = "all"
    """The strategies that each hazard is tried with: `all`, or its `controls`."""
    strategies: tuple[str, ...] = strategies.IDS
    driver: str = drivers.MEASURED.name
    """As `harness.drivers` names it."""

    def workers(self, strategy: Strategy) -> int:
        """The number of workers that a parent starts: cells take similar time, not the same number."""
        return self.boots if strategy.boots_an_interpreter else self.forks


PROFILES = {
    # A sample is a parent: parents differ more than workers of one parent do.
    "default": Profile("default", blocks=5, budget=50, forks=10, boots=3, dataframe_mib=512, deadline=30),
    # The fewest workers with which every check applies: a first one and another.
    "quick": Profile(
        "quick", blocks=1, budget=0, forks=2, boots=2, dataframe_mib=128, deadline=30, hazards="controls"
    ),
}


def current(usual: str = "default") -> Profile:
    """The profile that the environment asks for; `usual` if it names none.

    Raises `PoolstartError` if one of the variables is invalid, or if the DataFrame does not fit into memory.
    """
    name = os.environ.get(PROFILE) or usual
    if name not in PROFILES:
        raise PoolstartError(f"{PROFILE}={name} is no profile", f"known are {', '.join(PROFILES)}")
    profile = replace(PROFILES[name], driver=drivers.current().name)
    mib = os.environ.get(DATAFRAME)
    if mib:
        if not re.fullmatch(r"[0-9]{1,12}", mib) or not int(mib) >= 16:
            raise PoolstartError(f"{DATAFRAME}={mib} is no size", "give a whole number of MiB, 16 or more")
        profile = replace(profile, dataframe_mib=int(mib))
        if reason := no_room(profile.dataframe_mib):
            raise PoolstartError(f"{DATAFRAME}={mib}: {reason}", "give a smaller size")
    chosen = os.environ.get(STRATEGIES)
    if chosen:
        names = [name.strip() for name in chosen.split(",")]
        profile = replace(profile, strategies=known(names, f"{STRATEGIES}={chosen}"))
    return profile


def no_room(mib: int) -> str:
    """Why this machine cannot hold a DataFrame of so many MiB; empty if it can."""
    free, needed = memory.available() / MIB, mib * MEMORY_FACTOR
    if free >= needed:
        return ""
    return f"a DataFrame of {mib} MiB needs {needed:.0f} MiB free, this machine has {free:.0f} MiB"


def known(names: Iterable[str], source: str) -> tuple[str, ...]:
    """The ids of the named strategies and groups.

    Raises `PoolstartError` for an unknown name; `source` says where the user gave it.
    """
    try:
        return strategies.named(names)
    except PoolstartError as error:
        raise PoolstartError(f"{source}: {error.problem}", error.remedy) from None


def tags() -> dict[str, str]:
    """Tags of the results' environment, so that asv keeps this profile's series apart; empty for the default.

    Raises `PoolstartError` for a user's own strategy, which is no parameter of the benchmarks.
    """
    profile = current()
    found = {}
    if profile.driver != drivers.MEASURED.name:
        found["driver"] = f"{profile.driver}-{drivers.get(profile.driver).version}"
    if profile.name != "default":
        found["profile"] = profile.name
    if profile.dataframe_mib != PROFILES[profile.name].dataframe_mib:
        found["dataframe_mib"] = str(profile.dataframe_mib)
    if set(profile.strategies) != set(strategies.IDS):
        own = [name for name in profile.strategies if name not in strategies.GROUPS["all"]]
        if own:
            raise PoolstartError(
                f"asv measures the strategies of the catalogue, and {own[0]} is not one of them",
                "measure it by `poolstart measure`, or add it to harness/strategies/further.py",
            )
        # In the order of the catalogue, so that the same selection is the same series.
        found["strategies"] = "+".join(
            name for name in strategies.GROUPS["all"] if name in profile.strategies
        )
    return found
