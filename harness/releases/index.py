"""SQLAlchemy's releases, as listed by a package index."""

import os
from datetime import UTC, datetime
from urllib.parse import urlsplit

import requests
from pypi_simple import (
    PYPI_SIMPLE_ENDPOINT,
    NoSuchProjectError,
    PyPISimple,
    UnsupportedContentTypeError,
    UnsupportedRepoVersionError,
)

from harness.releases.catalogue import first_uploads
from harness.system.errors import PoolstartError

PROJECT = "sqlalchemy"

ENDPOINTS = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
"""Environment variables with the URL of the index; uv's take precedence over pip's."""

TIMEOUT = 30.0
"""Seconds for the index to respond."""


def endpoint() -> str:
    """The URL of the index that the user's installers use, or the client library's default."""
    return next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), PYPI_SIMPLE_ENDPOINT)


def host_of(url: str) -> str:
    """The host of an index, for messages: the whole URL may contain a password."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    return host or "an address without a host"


def releases() -> dict[str, datetime]:
    """The measurable releases on the index that are not yanked, with their dates (UTC).

    Raises `PoolstartError` if the index cannot be used.
    """
    url = endpoint()
    host = host_of(url)
    try:
        with PyPISimple(url) as client:
            page = client.get_project_page(PROJECT, timeout=TIMEOUT)
    except (
        NoSuchProjectError,
        UnsupportedContentTypeError,
        UnsupportedRepoVersionError,
        requests.RequestException,
        ValueError,
    ) as error:
        raise PoolstartError(
            f"the package index at {host} cannot be used: {reason(error)}",
            f"check the network, or set {ENDPOINTS[0]} to an index you can reach",
        ) from None
    dates = first_uploads(
        (package.version, package.upload_time.astimezone(UTC))
        for package in page.packages
        if package.version and package.upload_time and not package.is_yanked
    )
    if not dates:
        raise PoolstartError(
            f"the package index at {host} lists no upload times",
            f"set {ENDPOINTS[0]} to an index with the JSON API",
        )
    return dates


def reason(error: Exception) -> str:
    """Why a request failed, without the URL that most of these errors contain."""
    match error:
        case NoSuchProjectError():
            return f"it has no project {PROJECT}"
        case requests.HTTPError(response=response) if response is not None:
            return f"it responded {response.status_code} {response.reason}"
        case requests.Timeout():
            return f"no response within {TIMEOUT:g} s"
        case requests.ConnectionError():
            return "no connection"
    return f"it is not a package index ({type(error).__name__})"
