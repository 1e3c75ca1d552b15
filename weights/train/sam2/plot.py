"""Draws the curves of a run's log as SVG.

usage: plot.py LOG.csv OUT.svg
"""
import csv
import sys

WIDTH, HEIGHT, LEFT, TOP = 640, 150, 46, 26
CURVES = [("loss", ["loss"]), ("Dice of the frames after the prompt", ["dice", "copied"]), ("share of absent objects that are left out", ["stopped"])]
COLOURS = ["#1565c0", "#9e9e9e"]


def read(path):
    """Columns as numbers; of a step that a continued run did again, the last row counts."""
    rows = {int(row["step"]): row for row in csv.DictReader(open(path, newline=""))}
    return {key: [float(rows[step][key]) for step in sorted(rows)] for key in next(iter(rows.values()))}


def smooth(values, keep=0.7):
    out = values[:1]
    for value in values[1:]:
        out.append(keep * out[-1] + (1 - keep) * value)
    return out


def panel(title, names, columns, top):
    minutes = [s / 60 for s in columns["seconds"]]
    shown = [smooth(columns[name]) for name in names]
    low, high = min(min(v) for v in shown), max(max(v) for v in shown)
    if high == low:
        high = low + 1
    x = lambda m: LEFT + (WIDTH - LEFT - 10) * m / max(minutes[-1], 1e-9)
    y = lambda v: top + TOP + (HEIGHT - TOP - 24) * (high - v) / (high - low)
    parts = [f'<text x="{LEFT}" y="{top + 15}">{title}</text>']
    for value in (low, high):
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.2f}</text>')
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - 10}" stroke="#ddd"/>')
    for name, values, colour in zip(names, shown, COLOURS):
        line = " ".join(f"{x(m):.1f},{y(v):.1f}" for m, v in zip(minutes, values))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(f'<text x="{WIDTH - 12}" y="{y(values[-1]) - 4:.1f}" text-anchor="end" fill="{colour}">{name}</text>')
    for k in range(5):
        minute = minutes[-1] * k / 4
        anchor = "end" if k == 4 else "middle"
        parts.append(f'<text x="{x(minute):.1f}" y="{top + HEIGHT - 8}" text-anchor="{anchor}">{minute:.0f} min</text>')
    return "".join(parts)


def main(path, out):
    columns = read(path)
    body = "".join(panel(title, names, columns, k * HEIGHT) for k, (title, names) in enumerate(CURVES))
    height = HEIGHT * len(CURVES)
    with open(out, "w") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="11">'
                   f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>{body}</svg>\n')


if __name__ == "__main__":
    main(*sys.argv[1:])
