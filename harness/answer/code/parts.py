"""The variants of programs: driver, pooler, and whether workers read objects of the parent."""

from dataclasses import dataclass

from harness import drivers
from harness.drivers import MEASURED, Driver

DRIVERS = tuple({driver.dialect: driver for driver in drivers.DRIVERS[::-1]}.values())[::-1]
"""The drivers whose programs differ: the first of each dialect."""

SESSION, TRANSACTION = MODES = ("session", "transaction")
"""The modes of PgBouncer: it lends a session until the client disconnects, or for one transaction."""


@dataclass(frozen=True)
class Variant:
    """What the code of a program depends on besides its strategy."""

    driver: Driver = MEASURED
    pooler: str = ""
    """The mode of a pooler such as PgBouncer, one of `MODES`; workers then use NullPool. Empty for none."""
    objects: bool = False
    """Whether workers read Python objects of the parent. Then the parent calls gc.freeze(), so that a forked
    worker copies fewer pages."""

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
