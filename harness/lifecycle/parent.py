"""The parent program: ``python -m harness.lifecycle.parent``.

A `__main__` module is imported again by every spawned worker, so this one holds nothing.
"""

if __name__ == "__main__":
    from harness.lifecycle.program import main

    main()
