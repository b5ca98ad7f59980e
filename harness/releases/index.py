"""What a package index says of SQLAlchemy's releases."""

import os
from datetime import UTC, datetime

import requests
from pypi_simple import PYPI_SIMPLE_ENDPOINT, NoSuchProjectError, PyPISimple, UnsupportedRepoVersionError

from harness.errors import PoolstartError
from harness.releases.catalogue import first_uploads

PROJECT = "sqlalchemy"

ENDPOINTS = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
"""Environment variables that name the index, those of uv before pip's."""

TIMEOUT = 30.0
"""Seconds the index has to answer."""


def endpoint() -> str:
    """The index that the user's installers use, else the client library's default."""
    return next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), PYPI_SIMPLE_ENDPOINT)


def releases() -> dict[str, datetime]:
    """The measurable releases on the index that are not yanked, with their dates (UTC)."""
    remedy = f"check the network, or set {ENDPOINTS[0]} to an index you can reach"
    try:
        with PyPISimple(endpoint()) as client:
            page = client.get_project_page(PROJECT, timeout=TIMEOUT)
    except NoSuchProjectError:
        raise PoolstartError(f"the package index has no project {PROJECT}", remedy) from None
    except (requests.RequestException, UnsupportedRepoVersionError, ValueError) as error:
        raise PoolstartError(f"the package index cannot be read: {error}", remedy) from None
    found = first_uploads(
        (package.version, package.upload_time.astimezone(UTC))
        for package in page.packages
        if package.version and package.upload_time and not package.is_yanked
    )
    if not found:
        raise PoolstartError(
            "the package index tells no upload times", f"set {ENDPOINTS[0]} to an index with the JSON API"
        )
    return found
