"""The script's `__main__`, which holds nothing: spawned workers import it again."""

if __name__ == "__main__":
    from stand_alone import main

    main()
