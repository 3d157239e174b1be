# pix2pix (Isola et al., CVPR 2017, arXiv 1611.07004) in plain eager PyTorch: U-Net generator, 70x70 PatchGAN.
# The independent reference that Limn's Swift modules are compared with; its state_dict names are shared.
import math

import torch
from torch import nn
from torch.nn import functional as F


def normalization(kind, channels):
    """Batch statistics in training and at test time alike, as pix2pix does; affine in both kinds."""
    if kind == "batch":
        return nn.BatchNorm2d(channels, track_running_stats=False)
    if kind == "instance":
        return nn.InstanceNorm2d(channels, affine=True)
    raise ValueError(f"norm is {kind!r}; expected 'batch' or 'instance'")


def initialize(module):
    """Convolution weights N(0, 0.02), normalisation gains N(1, 0.02), all biases 0."""
    for m in module.modules():
        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(m.weight, 0.0, 0.02)
        elif isinstance(m, (nn.BatchNorm2d, nn.InstanceNorm2d)):
            nn.init.normal_(m.weight, 1.0, 0.02)
        else:
            continue
        if m.bias is not None:
            nn.init.zeros_(m.bias)


class Down(nn.Module):
    """[LeakyReLU 0.2 ->] conv 4x4 stride 2 [-> norm]."""

    def __init__(self, inputs, outputs, activate, norm):
        super().__init__()
        self.activate = activate
        self.conv = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
        self.norm = normalization(norm, outputs) if norm else None

    def forward(self, x):
        x = self.conv(F.leaky_relu(x, 0.2) if self.activate else x)
        return x if self.norm is None else self.norm(x)


class Up(nn.Module):
    """ReLU -> transposed conv 4x4 stride 2 [-> norm] [-> dropout 0.5]."""

    def __init__(self, inputs, outputs, norm, dropout):
        super().__init__()
        self.conv = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=norm is None)
        self.norm = normalization(norm, outputs) if norm else None
        self.dropout = dropout

    def forward(self, x, dropout):
        x = self.conv(F.relu(x))
        x = x if self.norm is None else self.norm(x)
        return F.dropout(x, 0.5) if self.dropout and dropout else x


class UNet(nn.Module):
    """Image [N, inputs, S, S] -> [N, outputs, S, S] in [-1, 1], S = `size`, a power of two of at least 16.

    log2(S) levels, so that the bottleneck is 1x1. Widths ngf * (1, 2, 4, 8, 8, ...). Level 0 is the outermost,
    in `down` as in `up`. Dropout acts on the innermost decoder levels of 8 * ngf channels, three at most;
    `dropout=False` in the call switches it off.
    """

    def __init__(self, inputs, outputs, size=256, ngf=64, norm="batch"):
        super().__init__()
        levels = int(math.log2(size))
        widths = [ngf * min(2**k, 8) for k in range(levels)]
        last = levels - 1
        self.down = nn.ModuleList(
            Down(inputs if k == 0 else widths[k - 1], widths[k], activate=k > 0, norm=norm if 0 < k < last else None)
            for k in range(levels))
        self.up = nn.ModuleList(
            Up(widths[k] * (1 if k == last else 2), widths[k - 1] if k else outputs, norm=norm if k else None,
               dropout=k > last - 3 and k > 0 and widths[k - 1] == 8 * ngf)
            for k in range(levels))
        initialize(self)

    def forward(self, x, dropout=True):
        skips = []
        for level in self.down:
            x = level(x)
            skips.append(x)
        for k in reversed(range(len(self.up))):
            x = self.up[k](x if k == len(self.up) - 1 else torch.cat([skips[k], x], dim=1), dropout)
        return torch.tanh(x)


class PatchLayer(nn.Module):
    def __init__(self, inputs, outputs, stride, norm, activate=True):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 4, stride=stride, padding=1, bias=norm is None)
        self.norm = normalization(norm, outputs) if norm else None
        self.activate = activate

    def forward(self, x):
        x = self.conv(x)
        x = x if self.norm is None else self.norm(x)
        return F.leaky_relu(x, 0.2) if self.activate else x


class PatchGAN(nn.Module):
    """70x70 PatchGAN: condition and image, concatenated in this order, -> logits [N, 1, S/8 - 2, S/8 - 2].

    Needs S of at least 32.
    """

    def __init__(self, inputs, ndf=64, norm="batch"):
        super().__init__()
        self.layers = nn.ModuleList([
            PatchLayer(inputs, ndf, 2, None),
            PatchLayer(ndf, ndf * 2, 2, norm),
            PatchLayer(ndf * 2, ndf * 4, 2, norm),
            PatchLayer(ndf * 4, ndf * 8, 1, norm),
            PatchLayer(ndf * 8, 1, 1, None, activate=False),
        ])
        initialize(self)

    def forward(self, condition, image):
        x = torch.cat([condition, image], dim=1)
        for layer in self.layers:
            x = layer(x)
        return x


def discriminator_loss(D, condition, real, fake):
    """Half the sum of the two binary cross-entropies (the paper's halved objective)."""
    on_real, on_fake = D(condition, real).to(real.dtype), D(condition, fake).to(real.dtype)
    return 0.5 * (F.binary_cross_entropy_with_logits(on_real, torch.ones_like(on_real))
                  + F.binary_cross_entropy_with_logits(on_fake, torch.zeros_like(on_fake)))


def generator_loss(D, condition, real, fake, weight=100.0):
    """Adversarial term, labelled real, plus weight * L1. Returns (loss, adversarial, L1)."""
    on_fake = D(condition, fake).to(real.dtype)
    adversarial = F.binary_cross_entropy_with_logits(on_fake, torch.ones_like(on_fake))
    l1 = F.l1_loss(fake.to(real.dtype), real)
    return adversarial + weight * l1, adversarial, l1


if __name__ == "__main__":
    def parameter_count(module):
        return sum(p.numel() for p in module.parameters())

    with torch.device("meta"):
        counts = {
            "U-Net 3->3": (UNet(3, 3), 54_413_955), "U-Net 1->3": (UNet(1, 3), 54_411_907),
            "U-Net 1->1": (UNet(1, 1), 54_407_809), "instance U-Net": (UNet(3, 3, norm="instance"), 54_413_955),
            "PatchGAN 6": (PatchGAN(6), 2_768_705), "PatchGAN 4": (PatchGAN(4), 2_766_657),
        }
    for name, (module, expected) in counts.items():
        assert parameter_count(module) == expected, f"{name}: {parameter_count(module)}, expected {expected}"
    dropouts = {s: sum(u.dropout for u in UNet(1, 1, size=s, ngf=1).up) for s in (16, 32, 64, 128, 256, 512)}
    assert dropouts == {16: 0, 32: 1, 64: 2, 128: 3, 256: 3, 512: 3}, dropouts
    for size in (16, 32, 64):
        assert UNet(1, 3, size=size, ngf=1)(torch.zeros(2, 1, size, size)).shape == (2, 3, size, size)
    assert PatchGAN(4)(torch.zeros(1, 1, 256, 256), torch.zeros(1, 3, 256, 256)).shape == (1, 1, 30, 30)
    print("pix2pix: parameter counts, dropout levels and shapes agree")
