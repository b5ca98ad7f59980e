"""The settings of every server that poolstart starts, embedded or in a container.

With them no measured query waits for a disk, and nothing runs in the background. `docker-compose.yml` has the
same ones, which a test compares.
"""

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "jit": "off",
    "max_connections": "100",
    "shared_buffers": "32MB",
}


def arguments() -> list[str]:
    """The settings as arguments of the `postgres` program."""
    return [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
