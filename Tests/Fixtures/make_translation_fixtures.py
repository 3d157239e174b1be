"""Fixtures of LimnTranslationTests: RegGAN's networks and training steps in plain PyTorch, the spatial transformer by SciPy.

    python make_translation_fixtures.py

Weights have the names that Limn's networks have. All is calculated in float64 and stored as float32.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import save_file
from scipy.ndimage import map_coordinates

FOLDER = Path(__file__).parent / "translation"


def norm(x):
    return F.instance_norm(x)


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv_block = nn.ModuleDict({"1": nn.Conv2d(channels, channels, 3), "5": nn.Conv2d(channels, channels, 3)})

    def forward(self, x):
        y = F.relu(norm(self.conv_block["1"](F.pad(x, (1, 1, 1, 1), mode="reflect"))))
        return x + norm(self.conv_block["5"](F.pad(y, (1, 1, 1, 1), mode="reflect")))


class Generator(nn.Module):
    def __init__(self, width, blocks, channels=1):
        super().__init__()
        w = width
        self.model_head = nn.ModuleDict(
            {"1": nn.Conv2d(channels, w, 7), "4": nn.Conv2d(w, 2 * w, 3, 2, 1), "7": nn.Conv2d(2 * w, 4 * w, 3, 2, 1)})
        self.model_body = nn.ModuleList([Residual(4 * w) for _ in range(blocks)])
        self.model_tail = nn.ModuleDict({
            "0": nn.ConvTranspose2d(4 * w, 2 * w, 3, 2, 1, output_padding=1),
            "3": nn.ConvTranspose2d(2 * w, w, 3, 2, 1, output_padding=1), "7": nn.Conv2d(w, channels, 7)})

    def forward(self, x):
        x = F.relu(norm(self.model_head["1"](F.pad(x, (3, 3, 3, 3), mode="reflect"))))
        x = F.relu(norm(self.model_head["4"](x)))
        x = F.relu(norm(self.model_head["7"](x)))
        for block in self.model_body:
            x = block(x)
        x = F.relu(norm(self.model_tail["0"](x)))
        x = F.relu(norm(self.model_tail["3"](x)))
        return torch.tanh(self.model_tail["7"](F.pad(x, (3, 3, 3, 3), mode="reflect")))


class Discriminator(nn.Module):
    def __init__(self, width, channels=1):
        super().__init__()
        w = width
        shape = [(0, channels, w, 2), (2, w, 2 * w, 2), (5, 2 * w, 4 * w, 2), (8, 4 * w, 8 * w, 1), (11, 8 * w, 1, 1)]
        self.model = nn.ModuleDict({str(k): nn.Conv2d(i, o, 4, s, 1) for k, i, o, s in shape})

    def forward(self, x):
        x = F.leaky_relu(self.model["0"](x), 0.2)
        for key in "258":
            x = F.leaky_relu(norm(self.model[key](x)), 0.2)
        return self.model["11"](x)


class Registration(nn.Module):
    def __init__(self, width, levels, channels=2):
        super().__init__()
        widths = [width] + [2 * width] * (levels - 1)
        inputs = [channels] + widths[:-1]
        self.down = nn.ModuleList([
            nn.ModuleDict({"convolution": nn.Conv2d(i, o, 3, 1, 1), "block": Residual(o)}) for i, o in zip(inputs, widths)])
        bottom = 2 * width
        self.squeeze = nn.ModuleDict({
            "0": nn.Conv2d(bottom, 2 * bottom, 1), **{str(k): Residual(2 * bottom) for k in (2, 3, 4)},
            "5": nn.Conv2d(2 * bottom, bottom, 1)})
        outputs = widths[1:] + [width]
        below = [bottom] + outputs[:-1]
        self.up = nn.ModuleList([
            nn.Conv2d(b + s, o, 3, 1, 1) for b, s, o in zip(below, reversed(widths), outputs)])
        self.refine = nn.ModuleDict({"0": Residual(width), "1": nn.Conv2d(width, width, 1)})
        self.output = nn.Conv2d(width, 2, 3, 1, 1)

    def forward(self, x):
        skips = []
        for level in self.down:
            x = level["block"](F.leaky_relu(level["convolution"](x), 0.2))
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = F.leaky_relu(self.squeeze["0"](x), 0.2)
        for key in "234":
            x = self.squeeze[key](x)
        x = F.leaky_relu(self.squeeze["5"](x), 0.2)
        for convolution, skip in zip(self.up, reversed(skips)):
            x = F.interpolate(x, skip.shape[2:], mode="bilinear", align_corners=False)
            x = F.leaky_relu(convolution(torch.cat([x, skip], 1)), 0.2)
        x = F.leaky_relu(self.refine["1"](self.refine["0"](x)), 0.2)
        return self.output(x)


def warp(image, flow):
    """Bilinear by hand: the four pixels around each place, places beyond the border moved onto it."""
    n, _, h, w = image.shape
    rows = (torch.arange(h, dtype=flow.dtype).view(1, h, 1) + flow[:, 0]).clamp(0, h - 1)
    columns = (torch.arange(w, dtype=flow.dtype).view(1, 1, w) + flow[:, 1]).clamp(0, w - 1)
    top, left = rows.detach().floor().clamp(max=h - 2).long(), columns.detach().floor().clamp(max=w - 2).long()
    down, right = rows - top, columns - left
    batch = torch.arange(n).view(n, 1, 1)
    pixel = lambda r, c: image[batch, :, r, c].permute(0, 3, 1, 2)
    down, right = down.unsqueeze(1), right.unsqueeze(1)
    return ((1 - down) * (1 - right) * pixel(top, left) + (1 - down) * right * pixel(top, left + 1)
            + down * (1 - right) * pixel(top + 1, left) + down * right * pixel(top + 1, left + 1))


def roughness(flow):
    return (flow[:, :, 1:] - flow[:, :, :-1]).square().mean() + (flow[..., 1:] - flow[..., :-1]).square().mean()


def score(discriminator, x, averages=True):
    patches = discriminator(x)
    return patches.mean((1, 2, 3)) if averages else patches


def step(nets, a, b, mode, cycle=10, correction=20, smoothness=10, identity=0, factor=1, averages=True):
    """Losses and gradients of one step, generators first."""
    for net in nets.values():
        net.zero_grad()
    g_b, g_a, d_b, d_a, r = (nets.get(k) for k in ("generator_b", "generator_a", "discriminator_b", "discriminator_a", "registration"))
    fake_b = g_b(a)
    terms = {"loss_g_b": (score(d_b, fake_b, averages) - 1).square().mean()}
    loss = terms["loss_g_b"]
    fake_a = None
    if mode[0] == "c":
        fake_a = g_a(b)
        terms["loss_g_a"] = (score(d_a, fake_a, averages) - 1).square().mean()
        terms["loss_cycle_a"] = (g_a(fake_b) - a).abs().mean()
        terms["loss_cycle_b"] = (g_b(fake_a) - b).abs().mean()
        loss = loss + terms["loss_g_a"] + cycle * (terms["loss_cycle_a"] + terms["loss_cycle_b"])
        if identity:
            terms["loss_identity"] = (g_a(a) - a).abs().mean() + (g_b(b) - b).abs().mean()
            loss = loss + identity * terms["loss_identity"]
    if mode.endswith("+r"):
        flow = r(torch.cat([fake_b, b], 1))
        terms["loss_r_correction"] = (warp(fake_b, flow) - b).abs().mean()
        terms["loss_r_smoothness"] = roughness(flow)
        loss = loss + correction * terms["loss_r_correction"] + smoothness * terms["loss_r_smoothness"]
    loss.backward()
    trained = [k for k in nets if not k.startswith("discriminator")]
    gradients = {f"{k}.{n}": p.grad.clone() for k in trained for n, p in nets[k].named_parameters() if p.grad is not None}
    for net in nets.values():
        net.zero_grad()
    for d, real, fake, name in ((d_b, b, fake_b, "b"), (d_a, a, fake_a, "a")):
        if fake is None:
            continue
        own = (score(d, real, averages) - 1).square().mean() + score(d, fake.detach(), averages).square().mean()
        terms[f"loss_d_{name}"] = own * factor
        (own * factor).backward()
    gradients |= {f"{k}.{n}": p.grad.clone() for k in nets if k not in trained
                  for n, p in nets[k].named_parameters() if p.grad is not None}
    return terms, gradients


def save(name, tensors):
    FOLDER.mkdir(exist_ok=True)
    save_file({k: v.detach().float().contiguous() for k, v in tensors.items()}, FOLDER / f"{name}.safetensors")


def make_networks():
    torch.manual_seed(1)
    nets = {"generator": Generator(2, 1), "discriminator": Discriminator(2), "registration": Registration(2, 4)}
    x = {"generator": torch.randn(2, 1, 32, 36), "discriminator": torch.randn(2, 1, 32, 36),
         "registration": torch.randn(2, 2, 32, 36)}
    out = {}
    for name, net in nets.items():
        net.double()
        out |= {f"{name}.{k}": v for k, v in net.state_dict().items()}
        out |= {f"input.{name}": x[name], f"output.{name}": net(x[name].double())}
    save("networks", out)


def make_steps():
    torch.manual_seed(2)
    nets = {"generator_b": Generator(2, 1), "generator_a": Generator(2, 1), "discriminator_b": Discriminator(2),
            "discriminator_a": Discriminator(2), "registration": Registration(2, 4)}
    with torch.no_grad():
        nets["registration"].output.weight.mul_(8)  # so that something is displaced
    a, b = (torch.rand(2, 1, 32, 32) * 2 - 1 for _ in range(2))
    weights = {f"{k}.{n}": v for k, net in nets.items() for n, v in net.double().state_dict().items()}
    save("step_weights", weights | {"a": a, "b": b})
    settings = {"nc": {}, "nc+r": {}, "c": {}, "c+r": {}, "cyclegan": dict(identity=5, factor=0.5, averages=False)}
    out = {}
    for mode, own in settings.items():
        which = "c" if mode == "cyclegan" else mode
        used = [k for k in nets if (which[0] == "c" or not k.endswith("_a")) and (which.endswith("+r") or k != "registration")]
        terms, gradients = step({k: nets[k] for k in used}, a.double(), b.double(), which, **own)
        out |= {f"{mode}/{k}": v for k, v in terms.items()}
        if mode in ("nc+r", "c+r", "cyclegan"):
            out |= {f"{mode}/gradient/{k}": v for k, v in gradients.items()}
    save("steps", out)


def make_pix2pix_step():
    """RegGAN's Pix2Pix: residual generator, discriminator of pairs, least squares of means."""
    torch.manual_seed(3)
    g, d = Generator(2, 1).double(), Discriminator(2, 2).double()
    a, b = (torch.rand(2, 1, 32, 32).double() * 2 - 1 for _ in range(2))
    fake = g(a)
    adversarial = (score(d, torch.cat([a, fake], 1)) - 1).square().mean()
    l1 = (fake - b).abs().mean()
    (adversarial + 100 * l1).backward()
    out = {f"generator_b.{k}": v for k, v in g.state_dict().items()} | {"a": a, "b": b, "loss_g_b": adversarial, "loss_l1": l1}
    out |= {f"discriminator_b.{k}": v for k, v in d.state_dict().items()}
    out |= {f"gradient/generator_b.{k}": p.grad.clone() for k, p in g.named_parameters()}
    d.zero_grad()
    loss = (score(d, torch.cat([a, b], 1)) - 1).square().mean() + score(d, torch.cat([a, fake.detach()], 1)).square().mean()
    loss.backward()
    out |= {"loss_d_b": loss} | {f"gradient/discriminator_b.{k}": p.grad for k, p in d.named_parameters()}
    save("pix2pix_step", out)


def make_warp():
    rng = np.random.default_rng(4)
    image, flow = rng.normal(size=(2, 2, 13, 9)), rng.normal(0, 3, size=(2, 2, 13, 9))
    rows, columns = np.mgrid[:13, :9]
    places = [np.stack([rows + flow[n, 0], columns + flow[n, 1]]) for n in range(2)]
    def moved(order):
        return np.stack([np.stack([map_coordinates(image[n, c], places[n], order=order, mode="nearest")
                                   for c in range(2)]) for n in range(2)])
    save("warp", {"image": torch.tensor(image), "flow": torch.tensor(flow), "bilinear": torch.tensor(moved(1)),
                  "nearest": torch.tensor(moved(0)), "roughness": roughness(torch.tensor(flow))})


if __name__ == "__main__":
    torch.set_num_threads(1)
    make_networks()
    make_steps()
    make_pix2pix_step()
    make_warp()
