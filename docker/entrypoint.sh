#!/bin/sh
# What a container does, by its first argument. `docker run IMAGE --help` lists what there is.
set -eu

usage() {
    cat <<'USAGE'
serve                 start the API on port 8000 (PORT), when the database answers or hasn't for 30 seconds
migrate [ARGUMENTS]   bring the database up to date, and make the tables of caches that are in it;
                      with arguments: Django's own command
migrate-and-serve     migrate, bootstrap (which does nothing unless ALLOW_ADMIN_INITIATION_VIA_CLI is on), serve
run-task-processor    migrate, and run jobs; answers probes and /metrics/ on port 8000 (PORT)
bootstrap             make the first superuser, organisation and project
check [ARGUMENTS]     look at settings, database and migrations, and start nothing;
                      with arguments: Django's own command
healthcheck           ask 127.0.0.1 whether it takes connections; more with --help
waitfordb             wait until the database answers; more with --help
generate-secrets DIR  put a secret key and a password of the database into DIR, where they aren't there yet
develop               what docker-compose.dev.yml starts: one process, anew when a file has changed

Everything else is a command of manage.py. Secrets may be given as files: DJANGO_SECRET_KEY_FILE=/run/secrets/key.
SKIP_WAIT_FOR_DB=true doesn't wait for the database.
USAGE
}

# These may also be given as NAME_FILE, a file with the value, as orchestrators mount their secrets.
SECRETS='ADMIN_INITIAL_PASSWORD ANALYTICS_DATABASE_URL APPLICATION_INSIGHTS_CONNECTION_STRING AUTH_KEY
    AWS_SECRET_ACCESS_KEY COOKIE_AUTH_JWT_SIGNING_KEY CROSS_REGION_REPLICA_DATABASE_URLS DATABASE_PASSWORD
    DATABASE_URL DIRECT_DATABASE_URL DJANGO_DB_PASSWORD DJANGO_DB_PASSWORD_ANALYTICS DJANGO_SECRET_KEY
    DJANGO_SECRET_KEY_FALLBACKS EMAIL_HOST_PASSWORD FORCE_SENTRY_TRACE_KEY GITHUB_CLIENT_SECRET
    GOOGLE_SERVICE_ACCOUNT INFLUXDB_TOKEN OAUTH_CLIENT_SECRET REPLICA_DATABASE_URLS SECRET_KEY
    SENDGRID_API_KEY SENTRY_SDK_DSN SLACK_CLIENT_SECRET SQLALCHEMY_DATABASE_URI'

WAIT_SECONDS=30

fail() {
    echo "$1" >&2
    exit 1
}

read_secrets() {
    # And those whose names have a number, or a provider's name, in them.
    numbered=$(env | sed -nE 's/^((CROSS_REGION_)?REPLICA_DATABASE_URL_[0-9]+|OIDC_[A-Z0-9_]+_CLIENT_SECRET)_FILE=.*/\1/p')
    for name in $SECRETS $numbered; do
        eval "value=\${$name:-} file=\${${name}_FILE:-}"
        # A value that is given as such is the one that counts.
        if [ -n "$file" ] && [ -z "$value" ]; then
            [ -r "$file" ] || fail "${name}_FILE names $file, which can't be read."
            value=$(cat "$file")
            export "$name=$value"
        fi
    done
}

# A command that others follow. The first process of a container is ended by no signal that it doesn't handle,
# and a shell handles none while it waits for a command in the foreground.
run() {
    "$@" &
    child=$!
    trap 'kill -TERM "$child" 2>/dev/null || :; wait "$child" || :; exit 143' TERM INT
    status=0
    wait "$child" || status=$?
    trap - TERM INT
    return "$status"
}

wait_for_database() {
    [ -n "${SKIP_WAIT_FOR_DB:-}" ] || run python manage.py waitfordb --waitfor "$WAIT_SECONDS"
}

migrate() {
    wait_for_database
    run python manage.py migrate --noinput
    run python manage.py createcachetable
}

serve() {
    exec python -m gunicorn --config python:app.gunicorn app.asgi
}

# One of the two that `generate-secrets` makes: the value that was given, or a random one at the first time.
keep_secret() {
    if [ -n "$2" ]; then
        printf '%s\n' "$2" >"$1.new"
    elif [ ! -s "$1" ]; then
        python secret-key-gen.py >"$1.new"
    else
        return 0
    fi
    mv "$1.new" "$1"
}

cd "$(dirname "$0")/../api"

command=${1:---help}
[ "$#" -eq 0 ] || shift

case $command in
    --help | -h)
        usage
        exit
        ;;
    healthcheck | checktaskprocessorthreadhealth)
        exec python -I -S ../docker/healthcheck.py "$@"
        ;;
    generate-secrets)
        [ "$#" -eq 1 ] || fail "generate-secrets takes the folder that they are put in."
        umask 077
        keep_secret "$1/secret-key" "${DJANGO_SECRET_KEY:-}"
        keep_secret "$1/database-password" "${POSTGRES_PASSWORD:-}"
        exit
        ;;
esac

read_secrets

case $command in
    serve)
        # It goes on without: it serves what its host has kept of the flags.
        wait_for_database || echo "Starting without the database." >&2
        serve
        ;;
    migrate)
        [ "$#" -eq 0 ] || exec python manage.py migrate "$@"
        migrate
        ;;
    migrate-and-serve)
        migrate
        run python manage.py bootstrap
        serve
        ;;
    run-task-processor)
        migrate
        exec python manage.py run-task-processor --port "${PORT:-8000}" "$@"
        ;;
    develop)
        wait_for_database
        exec python -m uvicorn app.asgi:application --host 0.0.0.0 --port "${PORT:-8000}" --reload
        ;;
    check)
        [ "$#" -eq 0 ] || exec python manage.py check "$@"
        run python manage.py check --deploy --database default
        exec python manage.py migrate --check
        ;;
    *)
        exec python manage.py "$command" "$@"
        ;;
esac
