"""What the programs of all drivers have in common."""

from dataclasses import dataclass

from harness import drivers
from harness.drivers import MEASURED, Driver

DRIVERS = tuple({driver.dialect: driver for driver in drivers.DRIVERS[::-1]}.values())[::-1]
"""The drivers whose programs differ: the first of each dialect."""

SESSION, TRANSACTION = MODES = ("session", "transaction")
"""Of PgBouncer: it lends a session until its client disconnects, or for one transaction."""


@dataclass(frozen=True)
class Variant:
    """What a program has besides its strategy."""

    driver: Driver = MEASURED
    pooler: str = ""
    """The mode of a pooler such as PgBouncer that keeps the connections open, one of `MODES`; empty without.
    Workers then use NullPool."""
    objects: bool = False
    """Whether workers read Python objects of the parent: a forked worker then copies fewer pages after
    gc.freeze()."""

    @property
    def key(self) -> str:
        """`psycopg2.pool.none`, for the site's script."""
        kept = self.pooler or "pool"
        return f"{self.driver.name}.{kept}.{'objects' if self.objects else 'none'}"


def own_pool(variant: Variant) -> str:
    """The arguments of create_engine for a worker's own engine."""
    if not variant.pooler:
        return ""
    prepared = variant.driver.behind_pooler if variant.pooler == TRANSACTION else ""
    return f", poolclass=NullPool{prepared and f', {prepared}'}"
