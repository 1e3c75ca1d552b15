#!/bin/sh
# run.sh                      regenerates every golden in this folder
# run.sh --check              regenerates into a temporary folder and compares bit by bit with the committed files
# run.sh SCRIPT.py ARGS...    runs another script of this folder in the same environment
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=$(sh "$here/setup.sh")
# Spinning OpenMP threads are very slow when other processes share the cores.
export OMP_WAIT_POLICY=PASSIVE PYTHONDONTWRITEBYTECODE=1 TQDM_DISABLE=1
case ${1:-} in
"") exec "$python" "$here/make_goldens.py" ;;
--check)
    fresh=$(mktemp -d)
    trap 'rm -rf "$fresh"' EXIT
    "$python" "$here/make_goldens.py" "$fresh"
    for file in "$fresh"/*; do cmp "$file" "$here/$(basename "$file")"; done
    echo "every golden is reproduced bit by bit"
    ;;
*) script=$1; shift; exec "$python" "$here/$script" "$@" ;;
esac
