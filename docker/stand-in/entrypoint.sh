#!/bin/bash
# Entrypoint of the stand-in image: what docker-compose.yml relies on of the official image's
# docker-entrypoint.sh, and no more. Honours POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB,
# POSTGRES_HOST_AUTH_METHOD, POSTGRES_INITDB_ARGS, PGDATA, /docker-entrypoint-initdb.d/*.sh, and
# arguments of the server as the container's command.
set -euo pipefail

if [ "$1" != postgres ]; then
    exec "$@"
fi

if [ "$(id -u)" = 0 ]; then
    install --directory --owner postgres --mode 700 "$PGDATA"
    install --directory --owner postgres --mode 755 /var/run/postgresql
    # Stands in for gosu: same pid, so that the server receives the container's signals.
    exec setpriv --reuid postgres --regid postgres --init-groups "$BASH" "$0" "$@"
fi

: "${POSTGRES_USER:=postgres}"
: "${POSTGRES_DB:=$POSTGRES_USER}"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ -z "${POSTGRES_PASSWORD:-}" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
        echo "Error: Database is uninitialized and superuser password is not specified." >&2
        exit 1
    fi
    # shellcheck disable=SC2086 # these are several arguments
    initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:-}") \
        ${POSTGRES_INITDB_ARGS:-}
    printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"

    # A server for the scripts alone: no TCP, so that nobody takes it for the real one.
    pg_ctl start --wait --options "-c listen_addresses=''"
    if [ "$POSTGRES_DB" != postgres ]; then
        createdb --username="$POSTGRES_USER" "$POSTGRES_DB"
    fi
    for script in /docker-entrypoint-initdb.d/*.sh; do
        if [ -x "$script" ]; then
            "$script"
        elif [ -f "$script" ]; then
            # shellcheck disable=SC1090
            . "$script"
        fi
    done
    pg_ctl stop --wait --mode fast
fi

exec "$@" -c listen_addresses='*'
