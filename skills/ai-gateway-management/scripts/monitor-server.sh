#!/bin/sh
# The server of monitor API and web page: start, stop, status, restart. MONITOR_PORT says on which port.
set -eu
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
# shellcheck source=SCRIPTDIR/find-sluice.sh
. "$here/find-sluice.sh"
exec "$SLUICE" agm monitor "$@"
