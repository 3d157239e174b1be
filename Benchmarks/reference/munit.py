"""UNIT and MUNIT in plain PyTorch, from their papers and the published sizes: functions over a dictionary of weights
under the published names. A weight is drawn when it is first asked for."""

import torch
import torch.nn.functional as F


def rounded(value, dtype):
    """Numbers of 16 bits, which fixtures store exactly."""
    return value.to(torch.float16).to(dtype)


class Weights(dict):
    """Weights by name. What is missing is drawn, so that a first forward pass makes a network."""

    def __init__(self, seed, dtype=torch.float64):
        super().__init__()
        self.generator, self.dtype = torch.Generator().manual_seed(seed), dtype

    def draw(self, name, shape, scale, center=0.0):
        if name not in self:
            value = torch.randn(shape, generator=self.generator) * scale + center
            self[name] = rounded(value, self.dtype).requires_grad_()
        return self[name]

    def kernel(self, name, shape, bias=True):
        fan_in = torch.Size(shape[1:]).numel()
        weight = self.draw(f"{name}.weight", shape, (2 / fan_in) ** 0.5)
        return weight, self.draw(f"{name}.bias", (shape[0],), 0.1) if bias else None

    def parameters(self):
        return {name: value for name, value in self.items() if value.requires_grad}


def mirrored(x, pixels):
    return F.pad(x, (pixels,) * 4, mode="reflect")


def instance_norm(x):
    mean, variance = x.mean((2, 3), keepdim=True), x.var((2, 3), unbiased=False, keepdim=True)
    return (x - mean) / (variance + 1e-5).sqrt()


def layer_norm(w, name, x):
    mean, deviation = x.mean((1, 2, 3), keepdim=True), x.std((1, 2, 3), keepdim=True)
    gamma = w.draw(f"{name}.gamma", (x.shape[1],), 0.2, 0.5).view(1, -1, 1, 1)
    return (x - mean) / (deviation + 1e-5) * gamma + w.draw(f"{name}.beta", (x.shape[1],), 0.1).view(1, -1, 1, 1)


def block(w, name, x, channels, size, stride=1, padding=0, norm=None, activation=F.relu, style=None):
    weight, bias = w.kernel(f"{name}.conv", (channels, x.shape[1], size, size))
    x = F.conv2d(mirrored(x, padding), weight, bias, stride)
    if norm == "instance":
        x = instance_norm(x)
    elif norm == "layer":
        x = layer_norm(w, f"{name}.norm", x)
    elif norm == "adaptive":
        w.setdefault(f"{name}.norm.running_mean", torch.zeros(channels, dtype=w.dtype))
        w.setdefault(f"{name}.norm.running_var", torch.ones(channels, dtype=w.dtype))
        offset, gain = next(style), next(style)
        x = instance_norm(x) * gain + offset
    return activation(x) if activation else x


def residual_blocks(w, name, x, count, norm, style=None):
    for i in range(count):
        y = block(w, f"{name}.model.{i}.model.0", x, x.shape[1], 3, 1, 1, norm, style=style)
        x = x + block(w, f"{name}.model.{i}.model.1", y, x.shape[1], 3, 1, 1, norm, None, style)
    return x


def content(w, name, x, width, blocks):
    x = block(w, f"{name}.model.0", x, width, 7, 1, 3, "instance")
    for i in (1, 2):
        x = block(w, f"{name}.model.{i}", x, width << i, 4, 2, 1, "instance")
    return residual_blocks(w, f"{name}.model.3", x, blocks, "instance")


def style(w, name, x, width, styles):
    x = block(w, f"{name}.model.0", x, width, 7, 1, 3)
    for i in (1, 2, 3, 4):
        x = block(w, f"{name}.model.{i}", x, width << min(i, 2), 4, 2, 1)
    return F.conv2d(x.mean((2, 3), keepdim=True), *w.kernel(f"{name}.model.6", (styles, x.shape[1], 1, 1)))


def decoded(w, name, x, channels, blocks, norm, style=None):
    x = residual_blocks(w, f"{name}.model.0", x, blocks, norm, style)
    for i in (2, 4):
        x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        x = block(w, f"{name}.model.{i}", x, x.shape[1] // 2, 5, 1, 2, "layer")
    return block(w, f"{name}.model.5", x, channels, 7, 1, 3, activation=torch.tanh)


class VAE:
    """UNIT's auto-encoder."""

    def __init__(self, w, channels=1, width=2, blocks=1):
        self.w, self.channels, self.width, self.blocks = w, channels, width, blocks

    def encode(self, x):
        return content(self.w, "enc", x, self.width, self.blocks)

    def decode(self, h):
        return decoded(self.w, "dec", h, self.channels, self.blocks, "instance")


class StyleAE:
    """MUNIT's auto-encoder."""

    def __init__(self, w, channels=1, width=2, blocks=1, styles=3, hidden=5):
        self.w, self.channels, self.width, self.blocks = w, channels, width, blocks
        self.styles, self.hidden = styles, hidden

    def encode(self, x):
        s = style(self.w, "enc_style", x, self.width, self.styles)
        return content(self.w, "enc_content", x, self.width, self.blocks), s

    def decode(self, c, s):
        x, count = s.flatten(1), 4 * self.blocks * c.shape[1]
        for i, outputs in enumerate((self.hidden, self.hidden, count)):
            x = F.linear(F.relu(x) if i else x, *self.w.kernel(f"mlp.model.{i}.fc", (outputs, x.shape[1])))
        numbers = iter(part[:, :, None, None] for part in x.split(c.shape[1], 1))
        return decoded(self.w, "dec", c, self.channels, self.blocks, "adaptive", numbers)


class Multiscale:
    """The discriminator."""

    def __init__(self, w, width=1, levels=4, scales=3):
        self.w, self.width, self.levels, self.scales = w, width, levels, scales

    def __call__(self, x):
        scores = []
        for s in range(self.scales):
            y = x
            for i in range(self.levels):
                leaky = lambda v: F.leaky_relu(v, 0.2)  # noqa: E731
                y = block(self.w, f"cnns.{s}.{i}", y, self.width << i, 4, 2, 1, activation=leaky)
            name = f"cnns.{s}.{self.levels}"
            scores.append(F.conv2d(y, *self.w.kernel(name, (1, y.shape[1], 1, 1))))
            x = F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
        return scores

    def loss(self, x, target):
        return sum(((score - target) ** 2).mean() for score in self(x))


def weighted(terms):
    """The sum of (weight, value), and the values alone."""
    return sum(weight * value for weight, value in terms.values()), {k: value for k, (_, value) in terms.items()}


def unit_loss(G_a, G_b, D_a, D_b, a, b, noise, cyclic):
    """What UNIT's auto-encoders lower, with the published weights; noise: of a, b, and of both on their way back."""
    l1 = F.l1_loss
    h_a, h_b = G_a.encode(a), G_b.encode(b)
    fake_b, fake_a = G_b.decode(h_a + noise[0]), G_a.decode(h_b + noise[1])
    back_a, back_b = G_b.encode(fake_b), G_a.encode(fake_a)
    terms = {
        "loss_g_b": (1, D_b.loss(fake_b, 1)),
        "loss_reconstruction_a": (10, l1(G_a.decode(h_a + noise[0]), a)),
        "loss_reconstruction_b": (10, l1(G_b.decode(h_b + noise[1]), b)),
        "loss_divergence_a": (0.01, (h_a**2).mean()),
        "loss_divergence_b": (0.01, (h_b**2).mean()),
        "loss_cycle_a": (10, l1(G_a.decode(back_a + noise[2]), a)),
        "loss_cycle_divergence_a": (0.01, (back_a**2).mean()),
    }
    if cyclic:
        terms |= {
            "loss_g_a": (1, D_a.loss(fake_a, 1)),
            "loss_cycle_b": (10, l1(G_b.decode(back_b + noise[3]), b)),
            "loss_cycle_divergence_b": (0.01, (back_b**2).mean()),
        }
    return *weighted(terms), fake_b, fake_a


def munit_loss(G_a, G_b, D_a, D_b, a, b, s_a, s_b, cyclic, cycle=2):
    """What MUNIT's auto-encoders lower, with the published weights; `cycle`: that of explicit cycles."""
    l1 = F.l1_loss
    (c_a, own_a), (c_b, own_b) = G_a.encode(a), G_b.encode(b)
    fake_b, fake_a = G_b.decode(c_a, s_b), G_a.decode(c_b, s_a)
    (c_b_again, s_a_again), (c_a_again, s_b_again) = G_a.encode(fake_a), G_b.encode(fake_b)
    terms = {
        "loss_g_b": (1, D_b.loss(fake_b, 1)),
        "loss_reconstruction_a": (10, l1(G_a.decode(c_a, own_a), a)),
        "loss_reconstruction_b": (10, l1(G_b.decode(c_b, own_b), b)),
        "loss_style_a": (1, l1(s_a_again, s_a)),
        "loss_content_a": (1, l1(c_a_again, c_a)),
        "loss_cycle_a": (cycle, l1(G_a.decode(c_a_again, own_a), a)),
    }
    if cyclic:
        terms |= {
            "loss_g_a": (1, D_a.loss(fake_a, 1)),
            "loss_style_b": (1, l1(s_b_again, s_b)),
            "loss_content_b": (1, l1(c_b_again, c_b)),
            "loss_cycle_b": (cycle, l1(G_b.decode(c_b_again, own_b), b)),
        }
    return *weighted(terms), fake_b, fake_a
