# PGGAN (Karras et al., ICLR 2018, arXiv 1710.10196) in plain eager PyTorch: networks, WGAN-GP step, EMA.
# The independent reference that Limn's Swift modules are compared with; its state_dict names are shared.
import contextlib
import copy
import math

import torch
from torch import nn
from torch.nn import functional as F


def feature_maps(scale, fmap_base=8192, fmap_max=512):
    """Channels nf(s) = min(fmap_base / 2^s, fmap_max); resolution 2^r uses nf(r - 1)."""
    return min(fmap_base // 2**scale, fmap_max)


def pixel_norm(x, eps=1e-8):
    return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + eps)


def lrelu(x):
    return F.leaky_relu(x, 0.2)


def up2(x):
    return F.interpolate(x, scale_factor=2, mode="nearest")


def down2(x):
    return F.avg_pool2d(x, 2)


class EqualizedConv(nn.Module):
    """Stored weights are N(0, 1); gain / sqrt(fan_in) is applied at run time. Biases start at 0, unscaled."""

    def __init__(self, inputs, outputs, kernel, gain=math.sqrt(2)):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.scale = gain / math.sqrt(inputs * kernel**2)

    def forward(self, x):
        return F.conv2d(x, self.weight * self.scale, self.bias, padding=self.weight.shape[-1] // 2)


class EqualizedDense(nn.Module):
    def __init__(self, inputs, outputs, gain=math.sqrt(2)):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.scale = gain / math.sqrt(inputs)

    def forward(self, x):
        return F.linear(x, self.weight * self.scale, self.bias)


class LatentDense(nn.Module):
    """Latent [N, L] -> [N, C, 4, 4]; one bias per channel, added after the reshape. Gain sqrt(2)/4."""

    def __init__(self, latent_size, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels * 16, latent_size))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.scale = math.sqrt(2) / 4 / math.sqrt(latent_size)

    def forward(self, z):
        x = F.linear(z, self.weight * self.scale).reshape(len(z), -1, 4, 4)
        return x + self.bias.view(1, -1, 1, 1)


class GeneratorBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv0 = EqualizedConv(inputs, outputs, 3)
        self.conv1 = EqualizedConv(outputs, outputs, 3)

    def forward(self, x):
        x = pixel_norm(lrelu(self.conv0(up2(x))))
        return pixel_norm(lrelu(self.conv1(x)))


class DiscriminatorBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv0 = EqualizedConv(inputs, inputs, 3)
        self.conv1 = EqualizedConv(inputs, outputs, 3)

    def forward(self, x):
        x = lrelu(self.conv0(x))
        return lrelu(down2(self.conv1(x)))


class Generator(nn.Module):
    """Latent [N, latent_size] -> linear image [N, channels, R, R] with R = 4 * 2^stage.

    `alpha` is the weight of the newest resolution: 1 - frac(lod). 1 means fully grown.
    """

    def __init__(self, resolution, channels=3, fmap_base=8192, fmap_max=512, latent_size=None):
        super().__init__()
        self.stages = int(math.log2(resolution)) - 2
        nf = [feature_maps(s, fmap_base, fmap_max) for s in range(self.stages + 2)]
        self.latent_size = latent_size or nf[0]
        self.dense = LatentDense(self.latent_size, nf[1])
        self.conv0 = EqualizedConv(nf[1], nf[1], 3)
        self.blocks = nn.ModuleList(GeneratorBlock(nf[i + 1], nf[i + 2]) for i in range(self.stages))
        self.to_rgb = nn.ModuleList(EqualizedConv(c, channels, 1, gain=1) for c in nf[1:])

    def forward(self, z, stage=None, alpha=1.0):
        stage = self.stages if stage is None else stage
        x = pixel_norm(lrelu(self.dense(pixel_norm(z))))
        x = pixel_norm(lrelu(self.conv0(x)))
        previous = x
        for block in self.blocks[:stage]:
            previous, x = x, block(x)
        image = self.to_rgb[stage](x)
        if stage == 0 or alpha == 1:
            return image
        old = up2(self.to_rgb[stage - 1](previous))
        return old + (image - old) * alpha


def minibatch_stddev(x, group_size=4):
    """Adds one channel: the mean over C, H, W of the standard deviation over a group of images.

    Sample n belongs to group member n // M and group n % M: the batch is split outermost into [G, M].
    """
    n, c, h, w = x.shape
    group = min(group_size, n)
    y = x.reshape(group, n // group, c, h, w)
    y = y - y.mean(dim=0, keepdim=True)
    y = torch.sqrt(y.square().mean(dim=0) + 1e-8).mean(dim=(1, 2, 3)).view(-1, 1, 1, 1)
    return torch.cat([x, y.repeat(group, 1, h, w).to(x.dtype)], dim=1)


class Discriminator(nn.Module):
    """Image [N, channels, R, R], R = 4 * 2^stage -> critic value [N]."""

    def __init__(self, resolution, channels=3, fmap_base=8192, fmap_max=512):
        super().__init__()
        self.stages = int(math.log2(resolution)) - 2
        nf = [feature_maps(s, fmap_base, fmap_max) for s in range(self.stages + 2)]
        self.from_rgb = nn.ModuleList(EqualizedConv(channels, c, 1) for c in nf[1:])
        self.blocks = nn.ModuleList(DiscriminatorBlock(nf[i + 2], nf[i + 1]) for i in range(self.stages))
        self.conv = EqualizedConv(nf[1] + 1, nf[1], 3)
        self.dense0 = EqualizedDense(nf[1] * 16, nf[0])
        self.dense1 = EqualizedDense(nf[0], 1, gain=1)

    def forward(self, image, stage=None, alpha=1.0):
        stage = self.stages if stage is None else stage
        x = lrelu(self.from_rgb[stage](image))
        for i in reversed(range(stage)):
            x = self.blocks[i](x)
            if i == stage - 1 and alpha != 1:
                old = lrelu(self.from_rgb[i](down2(image)))
                x = old + (x - old) * alpha
        x = lrelu(self.conv(minibatch_stddev(x)))
        return self.dense1(lrelu(self.dense0(x.flatten(1)))).squeeze(1)


def fade_reals(images, alpha):
    """Reals at fractional lod: lerp towards their own 2x2-averaged, replicated version by 1 - alpha."""
    if alpha == 1:
        return images
    old = up2(down2(images))
    return old + (images - old) * alpha


def discriminator_loss(D, reals, fakes, u, stage, alpha, enlargement=1):
    """WGAN-GP with drift; `u` is [N] in [0, 1). Returns the loss and its terms (batch means).

    `enlargement` is final size / current size. The authors' graph takes the gradient with respect to the image
    nearest-enlarged to the final size, which divides the norm by this factor; 1 takes it at the current size.
    """
    dtype = reals.dtype
    real, fake = D(reals, stage, alpha).to(dtype), D(fakes, stage, alpha).to(dtype)
    mixed = torch.lerp(reals, fakes, u.view(-1, 1, 1, 1)).requires_grad_(True)
    (gradient,) = torch.autograd.grad(D(mixed, stage, alpha).to(dtype).sum(), mixed, create_graph=True)
    norm = gradient.square().sum(dim=(1, 2, 3)).sqrt() / enlargement
    terms = {
        "real": real.mean(), "fake": fake.mean(), "norm": norm.mean(),
        "gradient_penalty": 10 * (norm - 1).square().mean(), "drift": 0.001 * real.square().mean(),
    }
    return terms["fake"] - terms["real"] + terms["gradient_penalty"] + terms["drift"], terms


def generator_loss(G, D, z, stage, alpha):
    return -D(G(z, stage, alpha), stage, alpha).to(z.dtype).mean()


@torch.no_grad()
def update_average(average, model, beta=0.999):
    for a, p in zip(average.parameters(), model.parameters()):
        a.lerp_(p, 1 - beta)


class State:
    """Two networks, the running average of G, and two fresh Adam optimisers (reset at each stage change)."""

    def __init__(self, G, D, lr=0.001):
        self.G, self.D = G, D
        self.average = copy.deepcopy(G).requires_grad_(False)
        self.reset_optimizers(lr)

    def reset_optimizers(self, lr):
        self.g_optimizer = torch.optim.Adam(self.G.parameters(), lr=lr, betas=(0.0, 0.99), eps=1e-8)
        self.d_optimizer = torch.optim.Adam(self.D.parameters(), lr=lr, betas=(0.0, 0.99), eps=1e-8)


def training_step(state, reals, z_d, z_g, u, stage=None, alpha=1.0, enlargement=1, autocast=None):
    """One D update with the EMA update, then one G update. Returns detached losses and terms."""
    autocast = autocast or contextlib.nullcontext
    G, D = state.G, state.D

    with autocast(), torch.no_grad():
        fakes = G(z_d, stage, alpha).to(reals.dtype)
    with autocast():
        d_loss, terms = discriminator_loss(
            D, fade_reals(reals, alpha), fakes, u, stage, alpha, enlargement)
    state.d_optimizer.zero_grad(set_to_none=True)
    d_loss.backward()
    state.d_optimizer.step()
    update_average(state.average, G)

    D.requires_grad_(False)
    with autocast():
        g_loss = generator_loss(G, D, z_g, stage, alpha)
    state.g_optimizer.zero_grad(set_to_none=True)
    g_loss.backward()
    state.g_optimizer.step()
    D.requires_grad_(True)
    return {k: v.detach() for k, v in {**terms, "d_loss": d_loss, "g_loss": g_loss}.items()}


def parameter_count(module):
    return sum(p.numel() for p in module.parameters())


if __name__ == "__main__":
    expected = {
        (512, 3): (23_072_120, 23_080_225), (512, 1): (23_067_048, 23_075_169),
        (256, 1): (23_039_303, 23_047_361), (1024, 3): (23_079_115, 23_087_249),
    }
    for (resolution, channels), counts in expected.items():
        with torch.device("meta"):
            networks = Generator(resolution, channels), Discriminator(resolution, channels)
        found = tuple(map(parameter_count, networks))
        assert found == counts, f"{resolution} px, {channels} channels: {found}, expected {counts}"
    print("pggan: parameter counts agree")
