# SkrGAN (Zhang et al., MICCAI 2019, arXiv 1908.04346) in plain eager PyTorch: a PGGAN on sketches, whose latent is
# multiplied by a learned code, and a pix2pix that renders sketches. The independent reference for Limn's own.
import contextlib

import torch
from torch import nn

import pggan
import pix2pix


class SketchGenerator(nn.Module):
    """PGGAN on z * l: `latent_code` l is one vector [latent_size], ones at first, trained with the generator."""

    def __init__(self, resolution, channels=1, **options):
        super().__init__()
        self.generator = pggan.Generator(resolution, channels, **options)
        self.latent_code = nn.Parameter(torch.ones(self.generator.latent_size))

    def forward(self, z, stage=None, alpha=1.0):
        return self.generator(z * self.latent_code, stage, alpha)


class State:
    """Sketch networks G1, D1 with Adam(1e-3, 0, 0.99) and EMA; render networks G2, D2 with Adam(2e-4, 0.5, 0.999)."""

    def __init__(self, G1, D1, G2, D2, sketch_lr=0.001, render_lr=0.0002):
        self.sketch = pggan.State(G1, D1, sketch_lr)
        self.G2, self.D2 = G2, D2
        self.g_optimizer = torch.optim.Adam(G2.parameters(), lr=render_lr, betas=(0.5, 0.999))
        self.d_optimizer = torch.optim.Adam(D2.parameters(), lr=render_lr, betas=(0.5, 0.999))


def render_step(state, sketches, images, weight=100.0, dropout=True, autocast=None):
    """One D2 update, then one G2 update, on real sketches [N, 1, S, S] and their images [N, C, S, S]."""
    autocast = autocast or contextlib.nullcontext
    G2, D2 = state.G2, state.D2

    with autocast():
        fakes = G2(sketches, dropout)
        d_loss = pix2pix.discriminator_loss(D2, sketches, images, fakes.detach())
    state.d_optimizer.zero_grad(set_to_none=True)
    d_loss.backward()
    state.d_optimizer.step()

    D2.requires_grad_(False)
    with autocast():
        g_loss, adversarial, l1 = pix2pix.generator_loss(D2, sketches, images, fakes, weight)
    state.g_optimizer.zero_grad(set_to_none=True)
    g_loss.backward()
    state.g_optimizer.step()
    D2.requires_grad_(True)
    terms = {"d_loss": d_loss, "g_loss": g_loss, "adversarial": adversarial, "l1": l1}
    return {k: v.detach() for k, v in terms.items()}


def training_step(state, sketches, images, z_d, z_g, u, stage=None, alpha=1.0, weight=100.0, dropout=True,
                  autocast=None):
    """The summed objective L_sketch + L_render: its two parts share no parameter, so each has its own step.

    `sketches` have the size of the images; G1 sees them at its stage's size, 2x2-averaged.
    """
    small = sketches
    while stage is not None and small.shape[-1] > 4 * 2**stage:
        small = pggan.down2(small)
    sketch = pggan.training_step(state.sketch, small, z_d, z_g, u, stage, alpha, autocast=autocast)
    render = render_step(state, sketches, images, weight, dropout, autocast)
    return {**{f"sketch.{k}": v for k, v in sketch.items()}, **{f"render.{k}": v for k, v in render.items()}}
