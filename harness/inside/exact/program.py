"""The parent program: ``python -m harness.inside.exact.program``.

A `__main__` module is imported again by every spawned worker, so this one holds nothing.
"""

if __name__ == "__main__":
    from harness.inside.exact.parent import main

    main()
