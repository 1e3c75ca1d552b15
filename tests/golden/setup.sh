#!/bin/sh
# Makes the Python environment that the goldens come from (once; about 2.5 GB): Meta's sam2 1.1.0 and CPU torch.
# Needs Python 3.11 to 3.13 ($PYTHON, else python3) and on Linux gcc and objdump (see cuda_stubs.py).  Prints the environment's Python on stdout.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
env=${ONESLICE_CACHE:-$HOME/.cache/oneslice}/goldens/venv
python=$env/bin/python
stamp=$env/complete
if ! cmp -s "$here/requirements.lock.txt" "$stamp"; then
    {
        rm -f "$stamp"
        "${PYTHON:-python3}" -m venv "$env"
        "$python" -m pip install -q --disable-pip-version-check setuptools==65.5.0 wheel==0.48.0
        "$python" -m pip install -q --disable-pip-version-check --no-deps -r "$here/requirements.lock.txt"
        SAM2_BUILD_CUDA=0 "$python" -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation sam2==1.1.0
        "$python" "$here/cuda_stubs.py" "$env"/lib/python3.*/site-packages/torch/lib
        "$python" -c "import torch, torchvision, sam2.build_sam"
        cp "$here/requirements.lock.txt" "$stamp"
    } >&2
fi
echo "$python"
