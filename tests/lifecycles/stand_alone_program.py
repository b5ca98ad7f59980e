"""The script's `__main__` module, empty but for the call, because spawned workers import it again."""

if __name__ == "__main__":
    from stand_alone import main

    main()
