# RegGAN (Kong et al., NeurIPS 2021, arXiv:2110.06465) over CycleGAN's networks in plain eager PyTorch: networks, losses,
# training step. The independent reference that Limn's Swift modules are compared with; its state_dict names are shared.
import contextlib
import random

import torch
from torch import nn
from torch.nn import functional as F


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
    """image at p + flow(p); flow [N, 2, H, W] in pixels, rows first; the border continues beyond the image."""
    h, w = image.shape[2:]
    rows = torch.arange(h, dtype=flow.dtype, device=flow.device).view(1, h, 1) + flow[:, 0]
    columns = torch.arange(w, dtype=flow.dtype, device=flow.device).view(1, 1, w) + flow[:, 1]
    grid = torch.stack([2 * columns / (w - 1) - 1, 2 * rows / (h - 1) - 1], -1)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=True)


def roughness(flow):
    return (flow[:, :, 1:] - flow[:, :, :-1]).square().mean() + (flow[..., 1:] - flow[..., :-1]).square().mean()


def score(discriminator, x, averages=True):
    patches = discriminator(x).float() if x.dtype != torch.float64 else discriminator(x)
    return patches.mean((1, 2, 3)) if averages else patches


def full(x):
    return x if x.dtype == torch.float64 else x.float()


def generators_objective(nets, a, b, mode, cycle=10, correction=20, smoothness=10, identity=0, averages=True,
                         autocast=contextlib.nullcontext):
    """What the generators and the registration network lower, its terms, and the fakes (of B, of A or None)."""
    g_b, g_a, d_b, d_a, r = (nets.get(k) for k in (
        "generator_b", "generator_a", "discriminator_b", "discriminator_a", "registration"))
    with autocast():
        fake_b = full(g_b(a))
        terms = {"loss_g_b": (score(d_b, fake_b, averages) - 1).square().mean()}
        loss, fake_a = terms["loss_g_b"], None
        if mode[0] == "c":
            fake_a = full(g_a(b))
            terms["loss_g_a"] = (score(d_a, fake_a, averages) - 1).square().mean()
            terms["loss_cycle_a"] = (full(g_a(fake_b)) - a).abs().mean()
            terms["loss_cycle_b"] = (full(g_b(fake_a)) - b).abs().mean()
            loss = loss + terms["loss_g_a"] + cycle * (terms["loss_cycle_a"] + terms["loss_cycle_b"])
            if identity:
                terms["loss_identity"] = (full(g_a(a)) - a).abs().mean() + (full(g_b(b)) - b).abs().mean()
                loss = loss + identity * terms["loss_identity"]
        if mode.endswith("+r"):
            flow = full(r(torch.cat([fake_b, b], 1)))
            terms["loss_r_correction"] = (warp(fake_b, flow) - b).abs().mean()
            terms["loss_r_smoothness"] = roughness(flow)
            loss = loss + correction * terms["loss_r_correction"] + smoothness * terms["loss_r_smoothness"]
    return loss, terms, (fake_b, fake_a)


def discriminator_objective(discriminator, real, fake, factor=1, averages=True, autocast=contextlib.nullcontext):
    with autocast():
        return factor * ((score(discriminator, real, averages) - 1).square().mean()
                         + score(discriminator, fake.detach(), averages).square().mean())


class Pool:
    """The latest 50 fakes; half of what the discriminator sees comes from here."""

    def __init__(self, capacity=50):
        self.capacity, self.images = capacity, []

    def __call__(self, fake):
        if len(self.images) < self.capacity:
            self.images.append(fake.detach().clone())
            return fake
        if random.random() > 0.5:
            place = random.randrange(self.capacity)
            old, self.images[place] = self.images[place], fake.detach().clone()
            return old
        return fake


class State:
    """Networks of a mode (or "p2p"), one Adam for each kind, pools."""

    def __init__(self, mode, size, channels=1, width=64, blocks=9):
        levels = min(7, size.bit_length() - 2)
        self.mode = mode
        self.nets = {"generator_b": Generator(width, blocks, channels)}
        self.nets["discriminator_b"] = Discriminator(width, 2 * channels if mode == "p2p" else channels)
        if mode[0] == "c":
            self.nets |= {"generator_a": Generator(width, blocks, channels), "discriminator_a": Discriminator(width, channels)}
        if mode.endswith("+r"):
            self.nets["registration"] = Registration(32, levels, 2 * channels)
        parts = {kind: [p for k, net in self.nets.items() if k.startswith(kind) for p in net.parameters()]
                 for kind in ("generator", "discriminator", "registration")}
        self.optimizers = {kind: torch.optim.Adam(p, 1e-4, (0.5, 0.999)) for kind, p in parts.items() if p}
        self.pools = {"b": Pool(), "a": Pool()}


def training_step(state, a, b, autocast=contextlib.nullcontext, fresh_fakes=False):
    """One step as RegGAN's code takes it; in nc+r the code draws the discriminator's fakes anew (fresh_fakes)."""
    optimizers, nets = state.optimizers, state.nets
    trained = [o for kind, o in optimizers.items() if kind != "discriminator"]
    for optimizer in trained:
        optimizer.zero_grad()
    if state.mode == "p2p":
        with autocast():
            fake_b, fake_a = full(nets["generator_b"](a)), None
            terms = {"loss_g_b": (score(nets["discriminator_b"], torch.cat([a, fake_b], 1)) - 1).square().mean(),
                     "loss_l1": (fake_b - b).abs().mean()}
        loss = terms["loss_g_b"] + 100 * terms["loss_l1"]
    else:
        loss, terms, (fake_b, fake_a) = generators_objective(nets, a, b, state.mode, autocast=autocast)
    loss.backward()
    for optimizer in trained:
        optimizer.step()
    optimizers["discriminator"].zero_grad()
    if fresh_fakes:
        with torch.no_grad(), autocast():
            fake_b = full(nets["generator_b"](a))
    for name, real, fake in (("b", b, fake_b), ("a", a, fake_a)):
        if fake is None:
            continue
        if state.mode == "p2p":
            real, fake = torch.cat([a, real], 1), torch.cat([a, fake], 1)
        else:
            fake = fake if fresh_fakes else state.pools[name](fake)
        own = discriminator_objective(nets[f"discriminator_{name}"], real, fake, autocast=autocast)
        own.backward()
        terms[f"loss_d_{name}"] = own.detach()
    optimizers["discriminator"].step()
    return {k: v.detach() for k, v in terms.items()}
