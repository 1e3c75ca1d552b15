#!/bin/sh
# run.sh SCRIPT.py ARGS...    runs a script of this folder with PyPI's torch and sam2, the environment of tests/golden
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=$(sh "$here/../../../tests/golden/setup.sh")
# Spinning OpenMP threads are very slow when other processes share the cores.
export OMP_WAIT_POLICY=PASSIVE PYTHONDONTWRITEBYTECODE=1
script=$1
shift
exec "$python" "$here/$script" "$@"
