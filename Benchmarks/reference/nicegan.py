"""NICE-GAN in plain PyTorch, from its paper and the published sizes: functions over a dictionary of weights under the
published names, as in munit.py."""

import torch
import torch.nn.functional as F
from munit import mirrored, rounded, weighted


def leaky(x):
    return F.leaky_relu(x, 0.2)


def unit(x):
    return x / x.norm().clamp(min=1e-12)


def spectral(w, name, shape, bias=True, training=True):
    """A weight over its largest singular value, after one power iteration while training."""
    weight = w.draw(f"{name}.weight_orig", shape, 0.3)
    matrix = weight.flatten(1)
    for key, length in (("weight_u", matrix.shape[0]), ("weight_v", matrix.shape[1])):
        if f"{name}.{key}" not in w:
            w[f"{name}.{key}"] = unit(torch.randn(length, generator=w.generator).to(w.dtype))
    if training:
        with torch.no_grad():
            w[f"{name}.weight_v"] = unit(matrix.T @ w[f"{name}.weight_u"])
            w[f"{name}.weight_u"] = unit(matrix @ w[f"{name}.weight_v"])
    sigma = w[f"{name}.weight_u"] @ matrix @ w[f"{name}.weight_v"]
    return weight / sigma, w.draw(f"{name}.bias", shape[:1], 0.1) if bias else None


def spectral_block(w, name, x, channels, stride, training):
    weight, bias = spectral(w, name, (channels, x.shape[1], 4, 4), True, training)
    return leaky(F.conv2d(mirrored(x, 1), weight, bias, stride))


def mixture(w, name, x, instance, layer):
    def normalized(dims):
        return (x - x.mean(dims, keepdim=True)) / (x.var(dims, keepdim=True) + 1e-5).sqrt()

    if f"{name}.rho" not in w:
        start = torch.tensor([instance, layer]).repeat(1, x.shape[1], 1)
        start = start + 0.3 * torch.randn(start.shape, generator=w.generator)
        w[f"{name}.rho"] = rounded(start, w.dtype).requires_grad_()
    shares = w[f"{name}.rho"].softmax(2)[..., None, None]
    return shares[:, :, 0] * normalized((2, 3)) + shares[:, :, 1] * normalized((1, 2, 3))


def layer_instance_norm(w, name, x):
    gamma = w.draw(f"{name}.gamma", (1, x.shape[1], 1, 1), 0.2, 1)
    return mixture(w, name, x, 1, 3.2) * gamma + w.draw(f"{name}.beta", (1, x.shape[1], 1, 1), 0.1)


def encoded(w, x, width, training=True):
    """The code and the attention's score."""
    x = spectral_block(w, "model.1", x, width, 2, training)
    x = spectral_block(w, "model.4", x, 2 * width, 2, training)
    pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
    weight, _ = spectral(w, "fc", (1, 4 * width), False, training)
    attended = torch.cat([x, x], 1) * w["fc.weight_orig"][:, :, None, None]
    attended = F.conv2d(attended, *w.kernel("conv1x1", (2 * width, 4 * width, 1, 1)))
    return leaky(w.draw("lamda", (1,), 0.1, 0.5) * attended + x), F.linear(pooled, weight)


class Discriminator:
    def __init__(self, w, width=1, layers=7):
        self.w, self.width, self.layers, self.training = w, width, layers, True

    def __call__(self, x):
        """Local and global scores, the attention's, and the code."""
        w, n, training = self.w, self.layers, self.training
        code, attention = encoded(w, x, self.width, training)
        x0 = code
        for i, level in enumerate(range(2, n - 4)):
            x0 = spectral_block(w, f"Dis0_0.{3 * i + 1}", x0, self.width << level, 2, training)
        x1 = x0
        for i, level in enumerate(range(n - 4, n - 2)):
            x1 = spectral_block(w, f"Dis1_0.{3 * i + 1}", x1, self.width << level, 2, training)
        scores = []
        for number, y in ((0, x0), (1, x1)):
            y = spectral_block(w, f"Dis{number}_1.1", y, 2 * y.shape[1], 1, training)
            weight, _ = spectral(w, f"conv{number}", (1, y.shape[1], 4, 4), False, training)
            scores.append(F.conv2d(mirrored(y, 1), weight))
        return scores[0], scores[1], attention, code

    @staticmethod
    def loss(verdict, target):
        return sum(((scores - target) ** 2).mean() for scores in verdict[:3])


class Generator:
    def __init__(self, w, channels=1, width=1, blocks=1, light=False):
        self.w, self.channels, self.width, self.blocks, self.light = w, channels, width, blocks, light

    def __call__(self, code):
        w, channels = self.w, 4 * self.width
        x = F.conv2d(mirrored(code, 1), *w.kernel("UpBlock0.1", (channels, code.shape[1], 3, 3)))
        x = F.relu(layer_instance_norm(w, "UpBlock0.2", x))
        y = x.mean((2, 3)) if self.light else x.flatten(1)
        for i in (0, 2):
            y = F.relu(F.linear(y, w.kernel(f"FC.{i}", (channels, y.shape[1]), False)[0]))
        gamma, beta = (F.linear(y, w.kernel(name, (channels, channels), False)[0])[:, :, None, None]
                       for name in ("gamma", "beta"))
        for i in range(self.blocks):
            y = x
            for j in (1, 2):
                name = f"UpBlock1_{i + 1}"
                y = F.conv2d(mirrored(y, 1), w.kernel(f"{name}.conv{j}", (channels, channels, 3, 3), False)[0])
                y = mixture(w, f"{name}.norm{j}", y, 3.2, 1) * gamma + beta
                y = F.relu(y) if j == 1 else y
            x = x + y
        for i in (0, 8):
            half = x.shape[1] // 2
            x = F.conv2d(mirrored(x, 1), w.kernel(f"UpBlock2.{i + 1}", (half, 2 * half, 3, 3), False)[0])
            x = F.relu(layer_instance_norm(w, f"UpBlock2.{i + 2}", x))
            x = F.conv2d(x, *w.kernel(f"UpBlock2.{i + 4}", (4 * half, half, 1, 1)))
            x = F.relu(layer_instance_norm(w, f"UpBlock2.{i + 6}", F.pixel_shuffle(x, 2)))
        weight, _ = w.kernel("UpBlock2.17", (self.channels, x.shape[1], 7, 7), False)
        return torch.tanh(F.conv2d(mirrored(x, 3), weight))


class Standalone:
    """A generator with an encoder of its own, for one direction."""

    def __init__(self, w, **sizes):
        self.w, self.generator = w, Generator(w, **sizes)

    def __call__(self, x):
        return self.generator(encoded(self.w, x, self.generator.width)[0])


def discriminator_loss(G_a, G_b, D_a, D_b, a, b):
    """What both discriminators lower; weight 1. G_b paints images of domain b."""
    real_a, real_b = D_a(a), D_b(b)
    with torch.no_grad():
        fake_b, fake_a = G_b(real_a[3]), G_a(real_b[3])
    verdict_a, verdict_b = D_a(fake_a), D_b(fake_b)
    return (Discriminator.loss(real_a, 1) + Discriminator.loss(verdict_a, 0) + Discriminator.loss(real_b, 1)
            + Discriminator.loss(verdict_b, 0))


def generator_loss(G_a, G_b, D_a, D_b, a, b):
    """What both generators lower; weights 1, 10, 10."""
    code_a, code_b = D_a(a)[3], D_b(b)[3]
    fake_b, fake_a = G_b(code_a), G_a(code_b)
    verdict_a, verdict_b = D_a(fake_a), D_b(fake_b)
    l1 = F.l1_loss
    terms = {
        "loss_g_a": (1, Discriminator.loss(verdict_a, 1)),
        "loss_g_b": (1, Discriminator.loss(verdict_b, 1)),
        "loss_cycle_a": (10, l1(G_a(verdict_b[3]), a)),
        "loss_cycle_b": (10, l1(G_b(verdict_a[3]), b)),
        "loss_reconstruction_a": (10, l1(G_a(code_a), a)),
        "loss_reconstruction_b": (10, l1(G_b(code_b), b)),
    }
    return *weighted(terms), fake_b, fake_a
