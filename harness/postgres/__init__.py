"""The PostgreSQL in use: an external URL, the compose service, or an embedded server."""
