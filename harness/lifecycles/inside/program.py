"""The parent program: ``python -m harness.lifecycles.inside.program``.

Every spawned worker imports the `__main__` module again, so this one is empty but for the call.
"""

if __name__ == "__main__":
    import sys

    if "scattered" in sys.argv:
        from harness import scattered  # noqa: F401

    from harness.lifecycles.inside.parent import main

    main()
