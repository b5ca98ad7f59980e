#!/bin/sh
# Run by the image's entrypoint once the data directory exists, that is at every start: the data is in
# memory. With POOLSTART_TLS=on, makes a certificate that lives as long as the container.
if [ "${POOLSTART_TLS:-off}" = on ]; then
    (
        set -e
        umask 077
        openssl req -new -x509 -nodes -newkey rsa:2048 -days 2 -subj /CN=localhost \
            -keyout "$PGDATA/server.key" -out "$PGDATA/server.crt" 2>/dev/null
        echo "ssl = on" >>"$PGDATA/postgresql.conf"
    )
fi
