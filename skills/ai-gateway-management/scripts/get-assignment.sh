#!/bin/sh
# The model of the Manager or of a Worker.
#   get-assignment.sh manager
#   get-assignment.sh worker:alice --json
set -eu
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
# shellcheck source=SCRIPTDIR/find-sluice.sh
. "$here/find-sluice.sh"
exec "$SLUICE" agm get-assignment "$@"
