"""Lets the CUDA build of torch import on a machine without a GPU and without the 3 GB of CUDA wheels.

In: torch's lib folder.  Out: in that folder (which is on torch's search path) one tiny shared library for each CUDA
library that torch is linked with, under the same name and with the same symbols and symbol versions.  Nothing in them
can be called, and code that runs on the CPU never does.  Only libcudart must be real: torch registers with it on load.
Needs gcc and objdump.  usage: cuda_stubs.py VENV/lib/python3.11/site-packages/torch/lib
"""
import collections
import os
import re
import subprocess
import sys
import tempfile

REAL = ("libcudart", "libcuda.so")
SYSTEM = ("libc.so", "libm.so", "libdl", "libpthread", "librt", "libgcc", "libstdc", "ld-linux", "libgomp", "libtorch",
          "libc10", "libshm", "libcaffe2")
PREFIX = {  # library name -> prefix of its functions, for symbols without a version
    "libcublas.so": "cublas", "libcublasLt": "cublasLt", "libcudnn": "cudnn", "libcufft": "cufft",
    "libcurand": "curand", "libcusparse.so": "cusparse", "libcusparseLt": "cusparseLt", "libcusolver": "cusolver",
    "libnccl": "nccl", "libcufile": "cuFile", "libcupti": "cupti", "libnvrtc": "nvrtc", "libnvshmem": "nvshmem",
    "libnvToolsExt": "nvtx"}


def _objdump(flag, path):
    return subprocess.run(["objdump", flag, path], capture_output=True, text=True, check=True).stdout.splitlines()


def _headers(path):
    """Libraries that `path` needs, and symbol version -> library."""
    needed, versions, current = set(), {}, None
    for line in _objdump("-p", path):
        if hit := re.match(r"\s+NEEDED\s+(\S+)", line):
            needed.add(hit[1])
        elif hit := re.match(r"\s+required from (\S+):", line):
            current = hit[1]
        elif (hit := re.match(r"\s+0x[0-9a-f]+ 0x[0-9a-f]+ \d+ (\S+)", line)) and current:
            versions[hit[1]] = current
    return {name for name in needed if not name.startswith(SYSTEM + REAL)}, versions


def _undefined(path):
    """(symbol, version or None) of everything that `path` expects from others."""
    pattern = re.compile(r"\*UND\*\s+[0-9a-f]+\s+(?:\((\S+)\)|(\S+))?\s+(\S+)$")
    for line in _objdump("-T", path):
        if hit := pattern.search(line):
            yield hit[3], hit[1] or hit[2]


def _by_prefix(symbol, needed):
    fits = [lib for lib in needed for name, prefix in PREFIX.items()
            if lib.startswith(name) and symbol.startswith(prefix)]
    return max(fits, key=len) if fits else None


def wanted(folder):
    """library -> {(symbol, version)} over every shared object in `folder`."""
    files = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".so")]
    headers = {path: _headers(path) for path in files}
    needed = set().union(*(libs for libs, _ in headers.values()))
    symbols = {lib: set() for lib in needed}
    for path, (_, versions) in headers.items():
        for symbol, version in _undefined(path):
            library = versions.get(version)
            if library is None:
                library, version = _by_prefix(symbol, needed), None
            if library in symbols:
                symbols[library].add((symbol, version))
    return symbols


def build(target, name, symbols):
    """One shared library whose functions all trap."""
    by_version = collections.defaultdict(list)
    for symbol, version in sorted(symbols, key=str):
        by_version[version].append(symbol)
    with tempfile.TemporaryDirectory() as folder:
        source, script = os.path.join(folder, "stub.c"), os.path.join(folder, "versions.map")
        with open(source, "w") as file:
            file.writelines(f"void {s}(void){{__builtin_trap();}}\n" for s in sorted({s for s, _ in symbols}))
            file.write("int __stub_marker;\n")
        command = ["gcc", "-shared", "-fPIC", "-nostdlib", "-w", "-fno-builtin", "-o", target, source,
                   f"-Wl,-soname,{name}"]
        versioned = {version: names for version, names in by_version.items() if version}
        if versioned:
            with open(script, "w") as file:
                file.writelines(f"{v} {{ global: {'; '.join(names)}; }};\n" for v, names in versioned.items())
            command.append(f"-Wl,--version-script={script}")
        subprocess.run(command, check=True)


def main(folder):
    if not os.path.exists(os.path.join(folder, "libtorch_cuda.so")):
        return  # a CPU build needs none
    for name, symbols in sorted(wanted(folder).items()):
        target = os.path.join(folder, name)
        if not os.path.exists(target):
            build(target, name, symbols)


if __name__ == "__main__":
    main(sys.argv[1])
