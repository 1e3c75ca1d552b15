"""Muon for the matrices of a model, AdamW for the rest.

In: a model, a rate.  Out: optimisers to be stepped together.  A matrix moves along its orthogonalised momentum, so that a few thousand
steps move all its directions and not only the loudest; steps are as large as AdamW's, so both take one rate.
"""
import torch

ITERATIONS, COEFFICIENTS = 5, (3.4445, -4.7750, 2.0315)  # Newton and Schulz's, as Keller Jordan tuned them


def orthogonal(m):
    """The nearest orthogonal matrices, about, of a batch [n, rows, columns]."""
    a, b, c = COEFFICIENTS
    wide = m.shape[1] <= m.shape[2]
    x = m if wide else m.transpose(1, 2)
    x = x / (x.flatten(1).norm(dim=1).view(-1, 1, 1) + 1e-7)
    for _ in range(ITERATIONS):
        square = x @ x.transpose(1, 2)
        x = a * x + (b * square + c * square @ square) @ x
    return x if wide else x.transpose(1, 2)


class Muon(torch.optim.Optimizer):
    def __init__(self, matrices, lr, momentum=0.95, weight_decay=0.02):
        super().__init__(list(matrices), {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            alike = {}
            for p in group["params"]:
                if p.grad is not None:
                    alike.setdefault(p.shape, []).append(p)
            for shape, same in alike.items():
                for p in same:
                    self.state[p].setdefault("momentum", torch.zeros_like(p)).lerp_(p.grad, 1 - group["momentum"])
                ahead = torch.stack([p.grad.lerp(self.state[p]["momentum"], group["momentum"]) for p in same])
                size = 0.2 * max(shape) ** 0.5  # makes the step's root mean square 0.2, about AdamW's
                for p, move in zip(same, orthogonal(ahead)):
                    p.mul_(1 - group["lr"] * group["weight_decay"]).add_(move, alpha=-group["lr"] * size)


def optimisers(model, rate):
    """Embeddings of a single row are no matrices; convolutions stay with AdamW."""
    matrix = lambda p: p.dim() == 2 and min(p.shape) >= 8
    matrices = [p for p in model.parameters() if matrix(p)]
    decayed = [p for p in model.parameters() if p.dim() > 1 and not matrix(p)]
    other = [p for p in model.parameters() if p.dim() <= 1]
    adam = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.02}, {"params": other, "weight_decay": 0.0}],
                             lr=rate, betas=(0.9, 0.98), foreach=True)
    return Muon(matrices, rate), adam
