"""Imported by the fork server before it forks the first worker (`multiprocessing.set_forkserver_preload`).

The documentation of `gc.freeze` recommends such a module: the garbage collector is off during the imports,
and the workers' collectors then ignore the imported objects. Visiting them would copy the memory that they
share.
"""

import gc

gc.disable()

import psycopg2
import sqlalchemy.dialects.postgresql.psycopg2

gc.freeze()
