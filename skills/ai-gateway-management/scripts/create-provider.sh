#!/bin/sh
# Makes a provider, and the routes to it.
#   create-provider.sh --type qwen --name qwen --token-file /run/secrets/qwen
#   echo "$KEY" | create-provider.sh --type openai --name local --token - --url http://10.0.0.5:8000/v1
# A key behind --token is seen by everybody who lists processes.
set -eu
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
# shellcheck source=SCRIPTDIR/find-sluice.sh
. "$here/find-sluice.sh"
exec "$SLUICE" agm create-provider "$@"
