"""AlexNet's features at any width with LPIPS heads: the teacher (64-192-384-256-256) and the student are the same code.

Keys as published: `features.N.{weight,bias}` and `linK.model.1.weight`.
"""
import torch
from torch import nn
from safetensors.torch import load_file

ALEX = (64, 192, 384, 256, 256)
TINY = (32, 64, 96, 96, 96)


class Head(nn.Module):
    """The published name of a head is lin<k>.model.1.weight: a dropout comes first in its sequence."""

    def __init__(self, channels):
        super().__init__()
        self.model = nn.Sequential(nn.Dropout(0), nn.Conv2d(channels, 1, 1, bias=False))
        nn.init.constant_(self.model[1].weight, 0.05)


class Perceptual(nn.Module):
    def __init__(self, widths):
        super().__init__()
        a, b, c, d, e = widths
        conv, pool, relu = nn.Conv2d, nn.MaxPool2d, nn.ReLU
        self.features = nn.Sequential(
            conv(3, a, 11, 4, 2), relu(), pool(3, 2), conv(a, b, 5, 1, 2), relu(), pool(3, 2),
            conv(b, c, 3, 1, 1), relu(), conv(c, d, 3, 1, 1), relu(), conv(d, e, 3, 1, 1), relu())
        for module in self.features:
            if isinstance(module, conv):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(module.bias)
        for k, width in enumerate(widths):
            self.add_module(f"lin{k}", Head(width))
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1), persistent=False)

    def heads(self):
        return [getattr(self, f"lin{k}").model[1].weight for k in range(5)]

    def forward(self, images):
        """Unit-normalised features of the five layers."""
        x, layers = (images - self.shift) / self.scale, []
        for index, module in enumerate(self.features):
            x = module(x)
            if index in (1, 4, 7, 9, 11):
                # The tiny term keeps the root's gradient finite where every channel is 0.
                layers.append(x / (torch.sqrt((x * x).sum(1, keepdim=True) + 1e-14) + 1e-10))
        return layers

    def terms(self, layers, left, right):
        """The five terms [pairs, 5] of the distances between images `left` and `right` of a batch."""
        terms = []
        for x, head in zip(layers, self.heads()):
            difference = (x[left] - x[right]) ** 2
            terms.append((difference.mean((2, 3)) * head.view(1, -1)).sum(1))
        return torch.stack(terms, 1)


def load(path, widths):
    model = Perceptual(widths)
    model.load_state_dict({key: value.float() for key, value in load_file(path).items()})
    return model.eval()
