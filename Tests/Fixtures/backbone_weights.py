"""Weights and images by a rule that BackboneWeights.swift computes too, so that none need to be stored."""

import numpy as np
import torch

PERIOD = 65_537  # a prime, so that no layer's rows repeat


def _base():
    x = (np.arange(PERIOD, dtype=np.uint64) * 0x9E3779B1) & 0xFFFFFFFF
    x ^= x >> np.uint64(15)
    x = (x * np.uint64(0x85EBCA77)) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(13)
    return (x.astype(np.float64) / 2**31 - 1).astype(np.float32)


BASE = torch.from_numpy(_base())


def values(name, shape):
    """Numbers in [-1, 1) that depend on a name: the base from a place on that FNV-1a of the name tells."""
    place = 2166136261
    for byte in name.encode():
        place = ((place ^ byte) * 16777619) & 0xFFFFFFFF
    count = int(np.prod(shape)) if len(shape) else 1
    index = (place % PERIOD + torch.arange(count)) % PERIOD
    return BASE[index].reshape(shape)


def weight(name, shape):
    """A parameter or buffer of PyTorch's names: Kaiming-uniform matrices, gains near one, small offsets."""
    last = name.rsplit(".", 1)[-1]
    v = values(name, shape)
    if last == "running_var":
        return 1 + 0.5 * v
    if last == "weight":
        if len(shape) == 1:
            return 1 + 0.2 * v
        return v * (6 / np.prod(shape[1:])) ** 0.5
    return 0.1 * v  # bias, running_mean


def fill(model):
    """Gives a model these weights, in evaluation mode."""
    state = {
        name: weight(name, tuple(t.shape)) if t.is_floating_point() else t
        for name, t in model.state_dict().items()
    }
    model.load_state_dict(state)
    return model.eval()


def image(name, shape):
    """Pixels 0...255, uint8: blocks of 4x4 equal ones, so that resizing has edges to get wrong."""
    n, c, h, w = shape
    coarse = values(name, (n, c, (h + 3) // 4, (w + 3) // 4))
    pixels = ((coarse + 1) * 127.5).floor().to(torch.uint8)
    return pixels.repeat_interleave(4, 2).repeat_interleave(4, 3)[:, :, :h, :w].contiguous()


def features_and_scores(model, x):
    """What goes into the last linear layer, and what comes out of it."""
    last = [m for m in model.modules() if isinstance(m, torch.nn.Linear)][-1]
    seen = []
    hook = last.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        scores = model(x)
    hook.remove()
    return seen[0], scores
