"""The settings every server that poolstart starts itself runs with, embedded or in a container.

Nothing that is measured waits for a disk, and nothing in the background disturbs it.
`docker-compose.yml` passes the same ones; a test holds the two together.
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
