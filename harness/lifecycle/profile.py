"""How much is measured: how many parents, how many workers each, how large a DataFrame."""

import os
from dataclasses import dataclass, replace

from harness.errors import PoolstartError

PROFILE = "POOLSTART_PROFILE"
"""Environment variable: the name of a profile."""

DATAFRAME = "POOLSTART_DATAFRAME_MIB"
"""Environment variable: the size of the `large` DataFrame in MiB."""


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
    return profile


def tags() -> dict[str, str]:
    """What sets the results of this profile apart; empty for the default series."""
    profile = current()
    found = {}
    if profile.name != "default":
        found["profile"] = profile.name
    if profile.dataframe_mib != PROFILES[profile.name].dataframe_mib:
        found["dataframe_mib"] = str(profile.dataframe_mib)
    return found
