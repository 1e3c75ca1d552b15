"""Scores checkpoints on real scans with the command line, beside copying the prompt.  Needs nibabel, numpy and Pillow.

usage: evaluate.py --oneslice BINARY --data FOLDER --out FOLDER [--sets NAME...] [--most N] [--bias X] [--pictures N] --models MODEL...
FOLDER is written by prepare.py.  All labels of a scan are segmented at once, each prompted on the slice where it is largest and followed
both ways; that slice is left out of its score.  `--most N` takes the first N scans of each set; `--bias X` is `--object-score-bias`.  Written are
`labels.csv`, `sets.csv` and `calibration.svg`; sets.csv is printed.  With `--pictures N` also MODEL.png: of the N labels with the lowest Dice in each
set, the slice with most wrong pixels beside the prompt, true borders in green and those found in red.
- dice: of the whole volume; copy: the prompt on every slice, as `oneslice eval` does; told: the same within the true extent only
- stopped: of the slices beyond the true extent, the share left empty; found: of those within, the share not left empty
"""
import argparse
import csv
import json
import os
import subprocess

import nibabel
import numpy as np

import failures

COLUMNS = ["set", "model", "case", "label", "slice", "dice", "copy", "told", "beyond", "stopped", "within", "found"]


def overlap(a, b):
    total = int(a.sum()) + int(b.sum())
    return 2 * int((a & b).sum()) / total if total else 1.0


def voxels(path):
    return np.rint(np.asarray(nibabel.load(path).dataobj)).astype(int)


def compare(points, found, truth, prompt, said):
    """What costs nothing, and where the object ends; adds predicted and true IoU of each slice to `points`."""
    keep = np.arange(truth.shape[2]) != prompt
    seen = np.where(truth.any((0, 1)))[0]
    within = [k for k in range(seen[0], seen[-1] + 1) if k != prompt]
    beyond = [k for k in range(truth.shape[2]) if not seen[0] <= k <= seen[-1]]
    copies = np.repeat(truth[:, :, prompt:prompt + 1], truth.shape[2], 2)
    told = copies.copy()
    told[:, :, beyond] = False
    for k in within:
        both, either = (found[:, :, k] & truth[:, :, k]).sum(), (found[:, :, k] | truth[:, :, k]).sum()
        if found[:, :, k].any():
            points.append((said[k]["predicted_iou"], both / either))
    filled = found.any((0, 1))
    return {"copy": overlap(copies[:, :, keep], truth[:, :, keep]), "told": overlap(told[:, :, keep], truth[:, :, keep]),
            "beyond": len(beyond), "stopped": int((~filled[beyond]).sum()), "within": len(within), "found": int(filled[within].sum())}


class Runner:
    def __init__(self, args):
        self.args, self.points, self.panels = args, {}, {}
        os.makedirs(args.out, exist_ok=True)

    def call(self, *line):
        return subprocess.run([self.args.oneslice, *line], check=True, capture_output=True, text=True).stdout

    def case(self, case, model):
        """A row for each label of one scan, segmented together as a user would."""
        path = lambda name: os.path.join(self.args.data, name)
        out, scores = os.path.join(self.args.out, "seg.nii.gz"), os.path.join(self.args.out, "scores.json")
        more = [f"--window={case['window']}"] if case["window"] else []
        more += [f"--object-score-bias={self.args.bias}"] if self.args.bias else []
        self.call("segment", path(case["scan"]), "--mask", path(case["labels"]), "--model", model, "--out", out, "--scores", scores, *more)
        truth, found, said = voxels(path(case["labels"])), voxels(out), {}
        points = self.points.setdefault(model, [])
        for score in json.load(open(scores)):
            said.setdefault(score["label"], {})[score["slice"]] = score
        for label, slices in said.items():
            prompt = next(k for k, s in slices.items() if s["prompted"])
            table = self.call("dice", out, path(case["labels"]), "--label", str(label), "--exclude-slice", str(prompt), "--json")
            row = {"set": case["set"], "model": os.path.basename(model), "case": case["name"], "label": label, "slice": prompt}
            row |= {"dice": json.loads(table)[0]["dice"]} | compare(points, found == label, truth == label, prompt, slices)
            if self.args.pictures:
                self.picture(case, model, row, found == label, truth == label)
            yield row

    def picture(self, case, model, row, found, truth):
        scan = nibabel.load(os.path.join(self.args.data, case["scan"]))
        window = case["window"] and tuple(map(float, case["window"].split(",")))
        title = f"{case['name']} {row['label']}: Dice {row['dice']:.2f}"
        picture = failures.panel(np.asarray(scan.dataobj), scan.affine, window, truth, found, row["slice"], title)
        self.panels.setdefault(model, []).append((case["set"], row["dice"], picture))

    def run(self):
        cases, taken = json.load(open(os.path.join(self.args.data, "sets.json"))), {}
        rows = []
        with open(os.path.join(self.args.out, "labels.csv"), "w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            for case in cases:
                taken[case["set"]] = taken.get(case["set"], 0) + 1
                if taken[case["set"]] > self.args.most or self.args.sets and case["set"] not in self.args.sets:
                    continue
                for model in self.args.models:
                    for row in self.case(case, model):
                        rows.append(row)
                        writer.writerow({k: f"{v:.4f}" if isinstance(v, float) else v for k, v in row.items()})
                    file.flush()
        return rows


def summary(rows):
    """Means over labels, by set and model."""
    keys = list(dict.fromkeys((r["set"], r["model"]) for r in rows))
    for name, model in keys:
        of = [r for r in rows if (r["set"], r["model"]) == (name, model)]
        total = lambda key: sum(r[key] for r in of)
        mean = lambda key: f"{total(key) / len(of):.3f}"
        share = lambda key, among: f"{total(key) / total(among):.2f}" if total(among) else "-"
        yield {"set": name, "model": model, "labels": len(of), "dice": mean("dice"), "copy": mean("copy"), "told": mean("told"),
               "stopped": share("stopped", "beyond"), "found": share("found", "within")}


def calibration(points, path):
    """Mean true IoU for each tenth of the predicted one, for each model; the diagonal is what it should be."""
    at = lambda v: 30 + 220 * v
    parts = [f'<path d="M{at(0)} {280 - at(0)}L{at(1)} {280 - at(1)}" stroke="#bbb"/>',
             '<text x="140" y="275" text-anchor="middle">predicted IoU</text><text x="8" y="14">true IoU</text>']
    for k in range(0, 11, 5):
        parts.append(f'<text x="{at(k / 10)}" y="{262}" text-anchor="middle">{k / 10}</text><text x="24" y="{284 - at(k / 10)}" text-anchor="end">{k / 10}</text>')
    for (model, pairs), colour in zip(points.items(), ("#1565c0", "#c62828", "#2e7d32")):
        pairs, line = np.array(pairs), []
        for low in np.arange(0, 1, 0.1):
            inside = pairs[(pairs[:, 0] >= low) & (pairs[:, 0] < low + 0.1 + 1e-9)]
            if len(inside) >= 10:
                x, y = inside.mean(0)
                line.append(f"{at(x):.1f},{280 - at(y):.1f}")
                parts.append(f'<circle cx="{at(x):.1f}" cy="{280 - at(y):.1f}" r="{1 + len(inside) ** 0.5 / 6:.1f}" fill="{colour}"/>')
        parts.append(f'<polyline points="{" ".join(line)}" fill="none" stroke="{colour}"/>')
        parts.append(f'<text x="{40}" y="{40 + 14 * list(points).index(model)}" fill="{colour}">{os.path.basename(model)}</text>')
    with open(path, "w") as file:
        file.write('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 270 282" font-family="sans-serif" font-size="11">'
                   f'<rect width="270" height="282" fill="#fff"/>{"".join(parts)}</svg>\n')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--oneslice", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--sets", nargs="*")
    parser.add_argument("--most", type=int, default=1000)
    parser.add_argument("--bias", type=float, default=0.0)
    parser.add_argument("--pictures", type=int, default=0)
    parser.add_argument("--models", nargs="+", required=True)
    runner = Runner(parser.parse_args())
    table = list(summary(runner.run()))
    with open(os.path.join(runner.args.out, "sets.csv"), "w", newline="") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader(), writer.writerows(table)
    print(open(os.path.join(runner.args.out, "sets.csv")).read())
    calibration(runner.points, os.path.join(runner.args.out, "calibration.svg"))
    for model, panels in runner.panels.items():
        failures.write(panels, runner.args.pictures, os.path.join(runner.args.out, f"{os.path.splitext(os.path.basename(model))[0]}.png"))


if __name__ == "__main__":
    main()
