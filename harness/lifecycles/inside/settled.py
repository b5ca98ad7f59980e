"""The last module that the fork server of a pair of parents preloads: it collects all garbage.

Which collection a worker of a fork server runs depends on how many objects the server happened to create
before: one release's worker may run one that another release's server has run already. After a full
collection all counters are zero, as in a parent that forks. No program needs this module, so workers outside
of pairs are started without it.
"""

import gc

from harness import scattered

scattered.stop()
gc.collect()
