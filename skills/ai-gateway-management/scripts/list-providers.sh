#!/bin/sh
# Providers, one a line: name, type, how many keys. --json: as the Console lists them, keys masked.
set -eu
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
# shellcheck source=SCRIPTDIR/find-sluice.sh
. "$here/find-sluice.sh"
exec "$SLUICE" agm list-providers "$@"
