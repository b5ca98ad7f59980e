"""What does `asyncio.get_event_loop()` do in a thread that has no loop?"""

import asyncio
import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    try:
        asyncio.get_event_loop().close()
    except RuntimeError as error:
        print(type(error).__name__)
    else:
        print(*[warning.category.__name__ for warning in caught] or ["a loop"])
