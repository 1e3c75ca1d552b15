"""More processes for one run, as a CPU's other cores: a helper takes the leader's weights, makes some steps on clips of its own and
hands in how far it came; the leader adds a part of that way to its own.  A slow helper only helps less.

In: the run's folder.  Out: `lead.pt` there, written by the leader, and `help-N.pt`, written by helper N and taken by the leader.
"""
import glob
import os
import time

import torch

ROUND = 20  # steps between two exchanges
ADDED = 0.6  # of a helper's way: the whole of it would be a rate twice as high, and clips differ less than that would need


def write(path, value):
    torch.save(value, path + ".part")
    os.replace(path + ".part", path)


@torch.no_grad()
def lead(run):
    """Takes what helpers brought and says where the run is."""
    own = list(run.model.parameters())
    for path in glob.glob(os.path.join(run.args.out, "help-*.pt")):
        moves = torch.load(path, map_location=run.device)
        os.remove(path)
        torch._foreach_add_(own, moves, alpha=ADDED)
    write(os.path.join(run.args.out, "lead.pt"), {"weights": [p.detach() for p in own], "seconds": run.seconds, "step": run.step})


def help_out(run, number):
    """Rounds from the leader's weights until its time is over, or it has been silent for ten minutes."""
    ahead, path = os.path.join(run.args.out, "lead.pt"), os.path.join(run.args.out, f"help-{number}.pt")
    own, known = list(run.model.parameters()), -1
    while True:
        if not os.path.exists(ahead) or time.time() - os.path.getmtime(ahead) > 600:
            return print("no leader at work")
        leader = torch.load(ahead, map_location=run.device)
        share = leader["seconds"] / (60 * run.args.minutes)
        if leader["step"] <= known or os.path.exists(path):
            time.sleep(1)  # not yet taken
        else:
            known = leader["step"]
            with torch.no_grad():
                [p.copy_(w) for p, w in zip(own, leader["weights"])]
            run.step = run.step or leader["step"]
            figures = [run.one(share) for _ in range(ROUND)]
            write(path, [p.detach() - w for p, w in zip(own, leader["weights"])])
            print(f"from step {known}: loss {sum(f['loss'] for f in figures) / ROUND:.4f}", flush=True)
        if share >= 1:
            return
