#!/bin/sh
# Writes an environment file for deploy/compose.yaml with new secrets to standard output. Needs openssl.
set -eu
for name in POSTGRES_PASSWORD OPERATOR_SECRET ORDER_ID_SECRET; do
  printf '%s=%s\n' "$name" "$(openssl rand -hex 32)"
done
# One line, its ends written as \n: that is how compose reads it.
printf 'AUTH_PRIVATE_KEY="%s"\n' "$(openssl genpkey -algorithm ed25519 | awk '{ printf "%s\\n", $0 }')"
printf 'LOG_LEVEL=info\n'
