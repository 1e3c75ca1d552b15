"""A training of five minutes from a random start, stopped and continued on the way: does it run, does its loss fall?

usage: smoke.py [MINUTES]
Out: the log, and exit code 1 if the last third's mean loss is not clearly below the first third's.
"""
import csv
import os
import subprocess
import sys
import tempfile

FALL = 0.85  # it falls to about a half; a run whose gradients go nowhere stays at 1


def main(minutes=5.0):
    train = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "train.py")]
    with tempfile.TemporaryDirectory() as out:
        options = ["--out", out, "--minutes", str(minutes), "--large", "2", "--rate", "1e-3", "--tracks", "6", "--every", "5"]
        subprocess.run(train + options + ["--stop-after", str(minutes / 2)], check=True)
        subprocess.run(train + options, check=True)
        rows = list(csv.DictReader(open(os.path.join(out, "log.csv"), newline="")))
        if not os.path.exists(os.path.join(out, "average.pt")):
            sys.exit("no average was written")
    steps, loss = [int(r["step"]) for r in rows], [float(r["loss"]) for r in rows]
    if steps != sorted(set(steps)) or len(steps) < 6:
        sys.exit(f"the log is too short, or was not continued: steps {steps}")
    third = len(loss) // 3
    first, last = sum(loss[:third]) / third, sum(loss[-third:]) / third
    print(f"{steps[-1]} steps: loss {first:.3f} at first, {last:.3f} at last")
    if not last < FALL * first:
        sys.exit(f"the loss does not fall: {first:.3f}, then {last:.3f}")


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
