"""What the programs of all drivers have in common."""

from dataclasses import dataclass

from harness import drivers
from harness.drivers import MEASURED, Driver
from harness.strategies import Strategy

DRIVERS = tuple({driver.dialect: driver for driver in drivers.DRIVERS[::-1]}.values())[::-1]
"""The drivers whose programs differ: the first of each dialect."""

SESSION, TRANSACTION = MODES = ("session", "transaction")
"""Of PgBouncer: it lends a session until its client disconnects, or for one transaction."""

MADE = """\
def make_engine(url):
    # All that belongs to it: connect_args, listeners, options. The parent calls it too.
    return {create}(url{pool})


"""
"""What makes an engine, in the parent and in each worker: a URL alone would lose what else belongs to it."""


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


def made(variant: Variant, create: str = "create_engine") -> str:
    """The function that makes an engine; `create` is SQLAlchemy's."""
    return MADE.format(create=create, pool=own_pool(variant))


def freezing(strategy: Strategy, variant: Variant) -> str:
    """The lines that keep a forked worker's collector from what it inherits; empty if it reads no objects."""
    return "gc.collect()\ngc.freeze()\n" if variant.objects and strategy.inherits else ""


def own_pool(variant: Variant) -> str:
    """The arguments of create_engine for a worker's own engine."""
    if not variant.pooler:
        return ""
    prepared = variant.driver.behind_pooler if variant.pooler == TRANSACTION else ""
    return f", poolclass=NullPool{prepared and f', {prepared}'}"


def preloading(strategy: Strategy, driver: Driver) -> str:
    """The line that makes the fork server import the driver in advance; empty for strategies without.

    It names what a program needs. The series is measured with one module less, psycopg2.extras, which takes a
    worker about a millisecond.
    """
    if not strategy.preload:
        return ""
    names = ", ".join(f'"{name}"' for name in driver.preload)
    return f"context.set_forkserver_preload([{names}])\n"
