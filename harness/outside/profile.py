"""How much is measured: which strategies, how many parents and workers, how large a DataFrame."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace

from harness import strategies
from harness.system.errors import PoolstartError

PROFILE = "POOLSTART_PROFILE"
"""Environment variable: the name of a profile."""

DATAFRAME = "POOLSTART_DATAFRAME_MIB"
"""Environment variable: the size of the `large` DataFrame in MiB."""

STRATEGIES = "POOLSTART_STRATEGIES"
"""Environment variable: the only strategies to measure, with commas between them."""


@dataclass(frozen=True)
class Profile:
    name: str
    parents: int
    workers: int
    """Workers of each parent, started one after another."""
    dataframe_mib: int
    """The resident size of the `large` DataFrame."""
    deadline: float
    """Seconds a worker has for each half of its life before it counts as hung."""
    strategies: tuple[str, ...] = strategies.IDS


PROFILES = {
    # Runs differ more than workers of one run do, so the samples come from several parents.
    "default": Profile("default", parents=3, workers=5, dataframe_mib=512, deadline=30),
    # The fewest samples that exercise every guard: a first worker and another one.
    "quick": Profile("quick", parents=1, workers=2, dataframe_mib=128, deadline=30),
}


def current() -> Profile:
    """The profile that the environment asks for."""
    name = os.environ.get(PROFILE) or "default"
    if name not in PROFILES:
        raise PoolstartError(f"{PROFILE}={name} is no profile", f"known are {', '.join(PROFILES)}")
    profile = PROFILES[name]
    mib = os.environ.get(DATAFRAME)
    if mib:
        if not mib.isdigit() or not int(mib) >= 16:
            raise PoolstartError(f"{DATAFRAME}={mib} is no size", "give a whole number of MiB, 16 or more")
        profile = replace(profile, dataframe_mib=int(mib))
    chosen = os.environ.get(STRATEGIES)
    if chosen:
        names = [name.strip() for name in chosen.split(",")]
        profile = replace(profile, strategies=known(names, f"{STRATEGIES}={chosen}"))
    return profile


def known(names: Iterable[str], source: str) -> tuple[str, ...]:
    """The names if all are strategies; `source` tells where the user gave them."""
    for name in names:
        try:
            strategies.get(name)
        except PoolstartError as error:
            raise PoolstartError(f"{source}: {error.problem}", error.remedy) from None
    return tuple(names)


def tags() -> dict[str, str]:
    """What sets the results of this profile apart; empty for the default series."""
    profile = current()
    found = {}
    if profile.name != "default":
        found["profile"] = profile.name
    if profile.dataframe_mib != PROFILES[profile.name].dataframe_mib:
        found["dataframe_mib"] = str(profile.dataframe_mib)
    if profile.strategies != strategies.IDS:
        own = [name for name in profile.strategies if name not in strategies.IDS]
        if own:
            raise PoolstartError(
                f"asv measures the strategies of the catalogue, and {own[0]} is not one of them",
                "measure it by `poolstart measure`, or add it to harness/strategies.py",
            )
        found["strategies"] = "+".join(profile.strategies)
    return found
