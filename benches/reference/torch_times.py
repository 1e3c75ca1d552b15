"""Times the parts in PyTorch on the CPU.

usage: torch_times.py MODEL RUNS SIZE...
Prints a line of JSON for each part, as web/bench.mjs writes them: times in milliseconds, and samples of the outputs.
"""
import json
import sys
import time

import torch

import modules


def milliseconds(run):
    started = time.perf_counter()
    run()
    return (time.perf_counter() - started) * 1e3


def main(name, runs, sizes):
    state = modules.state_dict(name)
    for size in sizes:
        for part in modules.parts(name, size, state):
            feeds = [torch.from_numpy(x) for x in part.feeds().values()]
            first = milliseconds(lambda: part.module(*feeds))
            times = [milliseconds(lambda: part.module(*feeds)) for _ in range(runs)]
            out = part.module(*feeds)
            out = out if isinstance(out, (tuple, list)) else (out,)
            print(json.dumps({
                "where": "native", "device": "cpu", "model": name, "size": size, "part": part.name, "engine": "pytorch f32",
                "first": first, "times": times, "outputs": [modules.samples(x) for x in out]}), flush=True)


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    main(sys.argv[1], int(sys.argv[2]), [int(size) for size in sys.argv[3:]])
