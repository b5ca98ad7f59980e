"""The containerized PostgreSQL of `docker-compose.yml`, found by asking compose."""


def service_url(required: bool = False) -> str | None:
    """The URL of the running service; None when it is not up (an error when `required`)."""
    return None
