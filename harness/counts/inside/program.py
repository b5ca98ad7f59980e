"""The parent program: ``python -m harness.counts.inside.program``.

A `__main__` module is imported again by every spawned worker, so this one holds nothing.
"""

if __name__ == "__main__":
    from harness.counts.inside.parent import main

    main()
