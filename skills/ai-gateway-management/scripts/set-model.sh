#!/bin/sh
# Gives the Manager or a Worker a model, after it was tested.
#   set-model.sh --target manager --provider qwen --model qwen3.5-plus
#   set-model.sh --target worker:alice --provider deepseek --model deepseek-chat
# More flags: --context-window N, --max-tokens N, --reasoning true|false; `sluice agm --help` has all.
set -eu
case $0 in */*) here=${0%/*} ;; *) here=. ;; esac
# shellcheck source=SCRIPTDIR/find-sluice.sh
. "$here/find-sluice.sh"
exec "$SLUICE" agm set-model "$@"
