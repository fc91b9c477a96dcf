# shellcheck shell=sh
# For the other scripts, which say in $here where they are: sets SLUICE to the program, or says what is missing and
# ends with 1. SLUICE_BIN names it; else it is looked for beside this directory (bin/sluice), then on PATH.

here=${here:-.}
if [ -n "${SLUICE_BIN:-}" ]; then
	SLUICE=$SLUICE_BIN
elif [ -x "$here/../bin/sluice" ]; then
	SLUICE=$here/../bin/sluice
else
	SLUICE=$(command -v sluice) || SLUICE=
fi
if [ ! -x "$SLUICE" ]; then
	echo "ERROR: the program sluice is not here: put it into $here/../bin or on PATH, or name it in SLUICE_BIN" >&2
	exit 1
fi
