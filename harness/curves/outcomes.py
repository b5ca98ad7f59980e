"""Measured fleets, drawn at random, next to what a bill predicts for them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import geometric_mean, median

from harness import drivers
from harness.curves.bill import Bill, BillRequest, Coefficients, bills
from harness.curves.curve import CurveRecord, Point

NAME, VARIED = "predictions", "varied"
"""The curves, with their seed: fleets of the reference driver, and those with another one or a pooler."""

SEED, VARIED_SEED = 30, 32
"""The newest draws. A change of how a bill is computed takes a new seed: fleets that were known before the
change are not unfitted any more."""

WITHIN = 0.15
"""How far a prediction may be off."""

ENOUGH = 0.9
"""The share of drawn fleets within it, without which a bill is a rough estimate: 18 of 20."""

TWIN = "twin_"
"""Before the figures of the twin of a drawn fleet, which has the reference driver and no pooler."""


@dataclass(frozen=True)
class Prediction:
    """A fleet with what was predicted and measured: seconds, bytes, and the multiple of its twin's time."""

    at: dict[str, str | float]
    predicted: dict[str, float]
    measured: dict[str, float]

    def off(self, figure: str) -> float:
        """The relative difference of the prediction from what was measured."""
        return self.predicted[figure] / self.measured[figure] - 1


@dataclass(frozen=True)
class Predictions:
    """The fleets of one session."""

    seed: int
    drawn: list[Prediction]
    controls: list[Prediction]

    @property
    def level(self) -> float:
        """What the fleets on record took in this session, as a multiple; 1 without controls."""
        found = [each.measured["ready"] / each.predicted["ready"] for each in self.controls]
        return geometric_mean(found) if found else 1.0

    def scaled(self, each: Prediction) -> float:
        """How far a time is off, if the bill's is multiplied by what the fleet on record of the same strategy
        took in this session, which may have been that of another machine."""
        beside = [own for own in self.controls if own.at["strategy"] == each.at["strategy"]]
        level = replace(self, controls=beside or self.controls).level
        return each.predicted["ready"] * level / each.measured["ready"] - 1

    def within(self, figure: str) -> int:
        """How many predictions are off by no more than `WITHIN`."""
        return sum(abs(each.off(figure)) <= WITHIN for each in self.drawn)

    @property
    def rough(self) -> bool:
        """Whether too few multiples are within `WITHIN`."""
        return self.within("multiple") < ENOUGH * len(self.drawn)


def draws(curves: Mapping[str, CurveRecord], known: Coefficients, prefix: str) -> dict[str, Predictions]:
    """The predictions on record, by curve, the newest last."""
    names = sorted(name for name in curves if name.startswith(prefix))
    return {name: outcomes(name, curves[name], known) for name in names}


def outcomes(name: str, record: CurveRecord, known: Coefficients) -> Predictions:
    """The measured fleets, each next to what the coefficients predict, less those for which they do not
    suffice; `name` is that of the curve."""
    seed = name.partition("_")[2]
    found: dict[bool, list[Prediction]] = {control: [] for control in (False, True)}
    for point in record.points:
        if each := outcome(point, known):
            found["control" in point.at].append(each)
    # The first draw was recorded without its seed.
    return Predictions(int(seed or 28), found[False], found[True])


def outcome(point: Point, known: Coefficients) -> Prediction | None:
    """A measured fleet next to what the coefficients predict; None without those of its driver or pooler."""
    request = BillRequest(
        int(point.at["workers"]),
        float(point.at["mib"]),
        str(point.at["kind"]),
        point.median("away") if "away" in point.values else float(point.at["distance"]),
        driver=str(point.at.get("driver", drivers.MEASURED.name)),
        pooler="pooler" in point.at,
    )

    def bill(request: BillRequest) -> Bill | None:
        return next((each for each in bills(known, request) if each.strategy == point.at["strategy"]), None)

    found, twin = bill(request), bill(replace(request, driver=drivers.MEASURED.name, pooler=False))
    if not found or not twin:
        return None
    predicted = {"ready": found.ready, "memory": found.memory}
    measured = {name: point.median(name) for name in predicted}
    if twins := point.values.get(f"{TWIN}ready"):
        predicted["multiple"] = found.ready / twin.ready
        pairs = zip(point.values["ready"], twins, strict=True)
        measured["multiple"] = median(seconds / twin for seconds, twin in pairs)
    return Prediction(point.at, predicted, measured)


def tested(curves: Mapping[str, CurveRecord], known: Coefficients, request: BillRequest) -> str:
    """How well a bill with this driver or pooler did, in a sentence; empty for one with neither."""
    if request.driver == drivers.MEASURED.name and not request.pooler:
        return ""
    name = f"{VARIED}_{VARIED_SEED}"
    draw = outcomes(name, curves[name], known) if name in curves else None
    title = drivers.get(request.driver).title
    reference = drivers.MEASURED.name
    if not draw or request.driver not in {each.at.get("driver", reference) for each in draw.drawn}:
        where = f"{title}{' behind PgBouncer' * request.pooler}"
        return f"This is a rough estimate: fleets with {where} were not measured."
    within = f"within {WITHIN:.0%} of this for {draw.within('multiple')} of {len(draw.drawn)} fleets"
    sentence = f"hat driver and pooler change was {within} drawn at random (docs/curves.md)."
    return f"This is a rough estimate: w{sentence}" if draw.rough else f"W{sentence}"
