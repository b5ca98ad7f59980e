"""What starts a thread for which `os.fork()` warns?

    threads.py WHAT [URL]

WHAT is `nothing`, `thread`, `executor`, `getaddrinfo` (which asyncio calls in a thread), or a package:
`numpy`, `pandas`, `pyarrow`, `polars`, or `psycopg_pool`, which needs URL. Prints whether the fork warned.
"""

import asyncio
import concurrent.futures
import os
import sys
import threading
import warnings

what, *arguments = sys.argv[1:]
if what == "thread":
    # It ends with the process, for nothing sets the event.
    threading.Thread(target=threading.Event().wait, daemon=True).start()
if what == "executor":
    executor = concurrent.futures.ThreadPoolExecutor(1)
    executor.submit(int).result()
if what == "getaddrinfo":
    loop = asyncio.new_event_loop()
    loop.run_until_complete(loop.getaddrinfo("localhost", 5432))
if what in ("numpy", "pandas", "pyarrow", "polars"):
    module = __import__(what)
if what == "numpy":
    # Large enough for OpenBLAS to use its threads.
    module.ones((500, 500)) @ module.ones((500, 500))
if what == "polars":
    module.DataFrame({"a": range(10**6)}).lazy().group_by("a").len().collect()
if what == "psycopg_pool":
    pool = __import__("psycopg_pool").ConnectionPool(*arguments, min_size=1, open=True)
    pool.wait()

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    if child := os.fork():
        os.waitpid(child, 0)
    else:
        os._exit(0)
print("warned" if any("multi-threaded" in str(warning.message) for warning in caught) else "silent")
