"""What a fork server imports before it forks the first worker, for `multiprocessing.set_forkserver_preload`.

A program's own module, as the documentation of `gc.freeze` recommends: no garbage is collected while the
modules are imported, and nothing of them is looked at by a worker's collector, which would copy it.
"""

import gc

gc.disable()

import psycopg2
import sqlalchemy.dialects.postgresql.psycopg2

gc.freeze()
