"""The committed results, read without any code of the harness."""

import json

from harness.system.environment import ROOT

RESULTS = ROOT / "results"


def stored(release: str) -> dict[str, object]:
    """The results of a release on the embedded server, as asv wrote them."""
    (path,) = RESULTS.glob(f"*/{release}-*embedded*.json")
    found: dict[str, object] = json.loads(path.read_text())["results"]
    return found


def median_of(release: str, benchmark: str, strategy: str, dataframe: str) -> float:
    values, params, *_ = stored(release)[benchmark]  # type: ignore[misc]
    place = params[0].index(f"'{strategy}'") * len(params[1]) + params[1].index(f"'{dataframe}'")
    return float(values[place])
