#!/bin/sh
# Run by PostgreSQL's image when its volume is new: two roles (decision 16), one database.
set -eu
psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 \
    --set owner_password="$OWNER_PASSWORD" --set app_password="$APP_PASSWORD" <<'SQL'
CREATE ROLE trackcenter LOGIN PASSWORD :'owner_password';
CREATE ROLE trackcenter_app LOGIN PASSWORD :'app_password';
CREATE DATABASE trackcenter OWNER trackcenter;
GRANT CONNECT ON DATABASE trackcenter TO trackcenter_app;
SQL
