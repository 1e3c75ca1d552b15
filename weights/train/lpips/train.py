"""Trains the small LPIPS: the student's distances are to be the teacher's (LPIPS with AlexNet), on invented slices only.

usage: train.py --teacher lpips_alex.safetensors --out DIR [--steps N] [--seed S] [--stop-after MINUTES]
The same command continues an interrupted run: DIR/state.pt holds its last state, DIR/log.csv its figures.
"""
import argparse
import csv
import os
import time

import torch
from safetensors.torch import save_file

import slices
from network import ALEX, TINY, Perceptual, load

SIDES = (96, 128, 128, 160, 192)
VOLUMES, DEPTH, COPIES = 3, 4, 8
RATE = 1e-3


def ranks(values):
    return values.argsort().argsort().float()


def correlation(a, b):
    a, b = a - a.mean(-1, keepdim=True), b - b.mean(-1, keepdim=True)
    return (a * b).sum(-1) / (a.norm(dim=-1) * b.norm(dim=-1) + 1e-9)


def losses(student, teacher, count):
    """Distances as ratios, the five terms as ratios, and each image's row of distances to all others as a ranking."""
    log_s, log_t = (student.sum(1) + 0.01).log(), (teacher.sum(1) + 0.01).log()
    ratio = (log_s - log_t).abs().mean()
    terms = ((student + 0.003).log() - (teacher + 0.003).log()).abs().mean()
    left, right = torch.triu_indices(count, count, 1)
    rows = torch.zeros(2, count, count)
    rows[:, left, right] = torch.stack([log_s, log_t])
    rows = (rows + rows.transpose(1, 2))[:, ~torch.eye(count, dtype=torch.bool)].view(2, count, count - 1)
    ranking = 1 - correlation(rows[0], rows[1]).mean()
    return ratio + 0.3 * terms + ranking, correlation(ranks(log_s.detach()), ranks(log_t))


def save(path, model):
    """Half floats, as the file is shipped."""
    tensors = {key: value.detach().half().contiguous() for key, value in model.state_dict().items()}
    save_file(tensors, path, metadata={"format": "pt", "made_by": "weights/train/lpips/train.py"})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--teacher", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stop-after", type=float, default=1e9)
    args = parser.parse_args()
    torch.set_num_threads(1)
    os.makedirs(args.out, exist_ok=True)
    state_path, log_path = os.path.join(args.out, "state.pt"), os.path.join(args.out, "log.csv")

    torch.manual_seed(args.seed)
    teacher, student = load(args.teacher, ALEX), Perceptual(TINY)
    optimiser = torch.optim.Adam(student.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, args.steps, pct_start=0.05)
    first, seconds = 0, 0.0
    if os.path.exists(state_path):
        state = torch.load(state_path)
        student.load_state_dict(state["student"]), optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        first, seconds = state["step"], state["seconds"]
    log = open(log_path, "a", newline="")
    writer = csv.writer(log)
    if first == 0:
        writer.writerow(["step", "seconds", "loss", "rank_correlation"])

    count = VOLUMES * DEPTH + COPIES
    left, right = torch.triu_indices(count, count, 1)
    start, recent = time.time() - seconds, []
    for step in range(first, args.steps):
        # A step's data depend on the seed and its number only, so an interrupted run goes on as if it had not been.
        generator = torch.Generator().manual_seed(args.seed * 1_000_003 + step)
        side = SIDES[int(torch.randint(0, len(SIDES), (1,), generator=generator))]
        images = slices.batch(generator, VOLUMES, DEPTH, COPIES, side)
        with torch.no_grad():
            wanted = teacher.terms(teacher(images), left, right)
        loss, rank = losses(student.terms(student(images), left, right), wanted, count)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            for head in student.heads():
                head.clamp_(min=0)
        recent.append((loss.item(), rank.item()))
        last = step + 1 == args.steps or time.time() - start > 60 * args.stop_after
        if (step + 1) % 25 == 0 or last:
            seconds = time.time() - start
            means = [sum(column) / len(recent) for column in zip(*recent)]
            recent.clear()
            writer.writerow([step + 1, round(seconds), *(f"{value:.4f}" for value in means)])
            log.flush()
            print(f"step {step + 1}  {seconds:.0f} s  loss {means[0]:.4f}  rank correlation {means[1]:.4f}", flush=True)
        if (step + 1) % 100 == 0 or last:
            torch.save({"student": student.state_dict(), "optimiser": optimiser.state_dict(),
                        "schedule": schedule.state_dict(), "step": step + 1, "seconds": seconds}, state_path + ".part")
            os.replace(state_path + ".part", state_path)
            save(os.path.join(args.out, "lpips-tiny.safetensors"), student)
        if last:
            break


if __name__ == "__main__":
    main()
