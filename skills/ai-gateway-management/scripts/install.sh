#!/bin/sh
# Makes monitor API and web page reachable, beside a real Higress or with sluice in its place; says which it found.
# Safe to repeat. --image: in the build of an image; --clean-legacy: removes what an old installation left.
set -eu
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
# shellcheck source=SCRIPTDIR/find-sluice.sh
. "$here/find-sluice.sh"
exec "$SLUICE" agm install "$@"
