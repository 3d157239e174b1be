#!/usr/bin/env python3
# Writes Tests/Fixtures/torch/*.safetensors: what PyTorch 2.11 gives on random input for LimnTorch's tests.
# A case's tensors are named CASE/in.I, CASE/out.I and CASE/grad.I. The scalar that is differentiated is the sum
# of the outputs' elements weighted by the cosine of their numbers. Run: python3 Tests/Fixtures/make_torch_fixtures.py

import json
import math
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

warnings.filterwarnings("ignore", message="reduction: 'mean' divides")  # the plain mean is what is compared
FOLDER = Path(__file__).parent / "torch"
generator = torch.Generator().manual_seed(20)


def random(*shape, low=None, high=None, dtype=torch.float32):
    if low is None:
        return torch.randn(shape, generator=generator, dtype=dtype)
    return torch.rand(shape, generator=generator, dtype=dtype) * (high - low) + low


def integers(low, high, shape):
    return torch.randint(low, high, shape, generator=generator)


class Cases:
    """Collects cases for one file."""

    def __init__(self, file):
        self.file, self.tensors = file, {}

    def add(self, name, function, *inputs):
        """Runs `function` on `inputs`; floating-point inputs are differentiated."""
        assert f"{name}/out.0" not in self.tensors, name
        inputs = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
        outputs = function(*inputs)
        outputs = list(outputs) if isinstance(outputs, (tuple, list)) else [outputs]
        self.record(name, "in", inputs)
        self.record(name, "out", outputs)
        self.differentiate(name, outputs, {f"grad.{i}": x for i, x in enumerate(inputs) if x.requires_grad})

    def differentiate(self, name, outputs, leaves):
        differentiable = [y for y in outputs if y.requires_grad]
        if not differentiable:
            return
        loss = sum((y * torch.arange(y.numel(), dtype=y.dtype).cos().view(y.shape)).sum() for y in differentiable)
        gradients = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
        for key, gradient in zip(leaves, gradients):
            if gradient is not None:
                self.set(f"{name}/{key}", gradient)

    def record(self, name, kind, tensors):
        for i, tensor in enumerate(tensors):
            self.set(f"{name}/{kind}.{i}", tensor)

    def set(self, key, tensor):
        self.tensors[key] = tensor.detach().clone().contiguous()

    def save(self, **metadata):
        FOLDER.mkdir(exist_ok=True)
        save_file(self.tensors, FOLDER / self.file, metadata={"torch": torch.__version__.split("+")[0], **metadata})


# Operators: arithmetic, shape, indexing, reductions, linear algebra.


def operators():
    c = Cases("operators.safetensors")
    a, b, row = random(3, 4), random(3, 4), random(1, 4)
    positive = random(3, 4, low=0.3, high=2.0)
    c.add("add", lambda x, y: x + y, a, row)
    c.add("subtract", lambda x, y: x - y, a, row)
    c.add("multiply", lambda x, y: x * y, a, row)
    c.add("divide", lambda x, y: x / y, a, positive)
    c.add("negate", lambda x: -x, a)
    c.add("scalar-right", lambda x: ((x + 2) * 3 - 1.5) / 4, a)
    c.add("scalar-left", lambda x: 2 + 3 * (1.5 - 4 / x), positive)
    c.add("power", lambda x: x.pow(2.5), positive)
    c.add("power-tensor", lambda x, y: x.pow(y), positive, a)
    for name in ["sqrt", "rsqrt", "reciprocal", "log", "log2", "log1p"]:
        c.add(name, lambda x: getattr(x, name)(), positive)
    for name in ["square", "exp", "expm1", "abs", "sign", "sin", "cos", "floor", "ceil", "round", "erf"]:
        c.add(name, lambda x: getattr(x, name)(), a * 1.7)
    c.add("atan2", torch.atan2, a, b)
    c.add("remainder", lambda x: x.remainder(0.7), a)
    c.add("clamped", lambda x: x.clamp(-0.5, 0.8), a)
    c.add("clamped-below", lambda x: x.clamp(min=0.1), a)
    c.add("where", lambda x, y: torch.where(x > y, x, y * 2), a, b)
    c.add("masked-fill", lambda x: x.masked_fill(x > 0.2, -3.0), a)
    c.add("lerp", lambda x, y: torch.lerp(x, y, 0.3), a, b)
    c.add("lerp-tensor", torch.lerp, a, b, positive)
    c.add("maximum", torch.maximum, a, b)
    c.add("minimum", torch.minimum, a, b)
    c.add("matmul", torch.matmul, random(2, 3, 4), random(4, 5))
    c.add("einsum", lambda x, y: torch.einsum("bij,kj->bki", x, y), random(2, 3, 4), random(5, 4))
    same = torch.where(a > 0, a, b)
    for name in ["gt", "lt", "ge", "le", "eq", "ne"]:
        c.add(name, lambda x, y: getattr(x, name)(y), a.detach(), same)
        c.add(f"{name}-scalar", lambda x: getattr(x, name)(2), integers(0, 5, (3, 4)))

    t = random(2, 3, 4, 4)
    c.add("sum", torch.sum, t)
    c.add("sum-dims", lambda x: x.sum((1, 3)), t)
    c.add("mean", torch.mean, t)
    c.add("mean-dims", lambda x: x.mean((2, 3), keepdim=True), t)
    c.add("variance", lambda x: x.var(), t)
    c.add("variance-biased", lambda x: x.var((0, 2), unbiased=False, keepdim=True), t)
    c.add("std", lambda x: x.std((1,)), t)
    c.add("product", lambda x: x.prod(2), t)
    c.add("log-sum-exp", lambda x: x.logsumexp((1,)), t)
    c.add("min", torch.min, t)
    c.add("max", torch.max, t)
    c.add("amin", lambda x: x.amin((1, 2)), t)
    c.add("amax", lambda x: x.amax((3,), keepdim=True), t)
    c.add("argmax", lambda x: x.argmax(1), t)
    c.add("argmin", lambda x: x.argmin(3, keepdim=True), t)
    c.add("median", torch.median, t)
    c.add("quantile", lambda x: x.quantile(0.35, 3), t)
    c.add("sorted", lambda x: x.sort(2, descending=True), t)
    c.add("top-k", lambda x: x.topk(2, 3, largest=False), t)
    c.add("cumsum", lambda x: x.cumsum(1), t)
    c.add("norm", torch.linalg.vector_norm, t)
    c.add("norm-dims", lambda x: torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True), t)

    c.add("reshaped", lambda x: x.reshape(6, -1), t)
    c.add("permuted", lambda x: x.permute(3, 0, 2, 1), t)
    c.add("transposed", lambda x: x.transpose(1, -1), t)
    c.add("expanded", lambda x: x.unsqueeze(1).expand(-1, 3, -1), random(2, 4))
    c.add("squeezed", lambda x: x.squeeze(1), random(2, 1, 4))
    c.add("flattened", lambda x: x.flatten(1, 2), t)
    c.add("flipped", lambda x: x.flip((1, 3)), t)
    c.add("repeated", lambda x: x.repeat(2, 1, 3), random(2, 3))
    c.add("repeat-interleaved", lambda x: x.repeat_interleave(3, 1), random(2, 3))
    c.add("rolled", lambda x: x.roll((1, -2), (0, 3)), t)
    c.add("rotated90", lambda x: x.rot90(1, (2, 3)), t)
    c.add("narrowed", lambda x: x.narrow(3, 1, 3), t)
    c.add("split", lambda x: x.split(2, 3), t)
    c.add("chunked", lambda x: x.chunk(2, 2), t)
    c.add("unfolded", lambda x: x.unfold(3, 3, 2), t)
    c.add("upper-triangle", lambda x: x.triu(1), t)
    c.add("lower-triangle", lambda x: x.tril(-1), t)
    c.add("stack", lambda x, y: torch.stack([x, y], 1), a, b)
    c.add("cat", lambda x, y: torch.cat([x, y], 0), a, row)

    positions, mask = torch.tensor([2, 0, 2]), torch.tensor([[True, False, True], [False, True, True]])
    c.add("index-integer", lambda x: x[1], t)
    c.add("index-negative", lambda x: x[-1, :, -2], t)
    c.add("index-range", lambda x: x[:, 1:3, 2:], t)
    c.add("index-ellipsis", lambda x: x[0, ..., 1:4], t)
    c.add("index-stride", lambda x: x[..., ::2], t)
    c.add("index-stride-from", lambda x: x[:, 1:3:2, 1::3], t)
    c.add("index-last-two", lambda x: x[..., -2:], t)
    c.add("index-new-axis", lambda x: x[:, None, 1], t)
    c.add("index-through", lambda x: x[:2, :3, :3], t)
    c.add("index-tensor", lambda x, i: x[i], random(3, 2), positions)
    c.add("index-tensor-later", lambda x, i: x[:, 1, i], t, positions)
    c.add("index-two-tensors", lambda x, i, j: x[:, i, j], t, positions, positions)
    c.add("index-mask", lambda x, m: x[m], t, mask)
    c.add("index-mask-then-range", lambda x, m: x[m, 1:3], t, mask)
    c.add("index-mask-then-integer", lambda x, m: x[m, ..., 2], t, mask)
    c.add("index-select", lambda x, i: x.index_select(1, i), t, positions)
    c.add("gathered", lambda x, i: x.gather(1, i), a, integers(0, 4, (3, 2)))
    c.add("nonzero", lambda m: m.nonzero(), mask)
    c.add("assign", assigned, a, row)

    square = random(2, 4, 4)
    symmetric = square @ square.mT + torch.eye(4)
    c.add("eigh", lambda x: (lambda e: (e[0], (e[1] * e[0].log().unsqueeze(-2)) @ e[1].mT))(torch.linalg.eigh(x)), symmetric)
    c.add("eigenvalues", torch.linalg.eigvalsh, symmetric)
    c.add("svd", lambda x: (lambda d: (d[1], (d[0] * d[1].square().unsqueeze(-2)) @ d[2]))(torch.linalg.svd(x, full_matrices=False)), random(3, 5))
    c.add("qr", torch.linalg.qr, random(5, 3))
    c.add("cholesky", torch.linalg.cholesky, symmetric)
    c.add("inverse", torch.linalg.inv, symmetric)
    c.add("determinant", torch.linalg.det, symmetric)
    c.add("solve", torch.linalg.solve, symmetric, random(2, 4, 3))
    c.add("least-squares", lambda x, y: torch.linalg.lstsq(x, y).solution, random(6, 3), random(6, 2))
    c.add("pseudo-inverse", torch.linalg.pinv, random(5, 3))
    c.add("matrix-exponential", torch.linalg.matrix_exp, square)
    c.add("trace", torch.trace, square[0])
    c.add("diagonal", torch.diag, square[0])
    c.save()


def assigned(x, row):
    y = x.clone()
    y[1] = row[0]
    y[:, 2:] = 7.5
    y[y > 5] = 2
    return y


# Functionals.


def functional():
    c = Cases("functional.safetensors")
    x = random(2, 4, 3)
    for name in ["relu", "relu6", "silu", "gelu", "softplus"]:
        c.add(name, getattr(F, name), x * 3)
    c.add("sigmoid", torch.sigmoid, x)
    c.add("tanh", torch.tanh, x)
    c.add("leaky-relu", lambda x: F.leaky_relu(x, 0.2), x)
    c.add("prelu", F.prelu, x, random(4))
    c.add("elu", lambda x: F.elu(x, 1.3), x)
    c.add("softmax", lambda x: F.softmax(x, 1), x)
    c.add("log-softmax", lambda x: F.log_softmax(x, 1), x)
    linear_and_convolution(c)
    pooling(c)
    resampling(c)
    normalization(c)
    losses(c)
    c.save()


def linear_and_convolution(c):
    c.add("linear", F.linear, random(2, 3, 4), random(5, 4), random(5))
    c.add("linear-no-bias", F.linear, random(3, 4), random(5, 4))
    c.add("conv1d", lambda x, w, b: F.conv1d(x, w, b, 2, 1, 2), random(2, 3, 9), random(4, 3, 3), random(4))
    c.add("conv2d", lambda x, w, b: F.conv2d(x, w, b, 2, 1), random(2, 3, 6, 7), random(4, 3, 3, 3), random(4))
    c.add("conv2d-dilated-groups", lambda x, w: F.conv2d(x, w, None, 1, 2, 2, 2), random(2, 4, 5, 5), random(6, 2, 3, 3))
    c.add("conv3d", lambda x, w, b: F.conv3d(x, w, b, 2, 1), random(1, 2, 4, 5, 4), random(3, 2, 3, 3, 3), random(3))
    c.add("conv-transpose1d", lambda x, w, b: F.conv_transpose1d(x, w, b, 2, 1, 1), random(2, 3, 5), random(3, 4, 3), random(4))
    c.add("conv-transpose2d", lambda x, w, b: F.conv_transpose2d(x, w, b, 2, 1), random(2, 3, 3, 4), random(3, 2, 4, 4), random(2))
    c.add("conv-transpose2d-groups", lambda x, w: F.conv_transpose2d(x, w, None, 2, 1, 1, 2, 2), random(2, 4, 3, 3), random(4, 2, 3, 3))
    c.add("conv-transpose3d", lambda x, w, b: F.conv_transpose3d(x, w, b, 2, 1), random(1, 2, 2, 3, 2), random(2, 2, 4, 4, 4), random(2))
    c.add("embedding", lambda i, w: F.embedding(i, w), integers(0, 5, (2, 3)), random(5, 4))


def pooling(c):
    x, volume = random(2, 2, 6, 7), random(1, 2, 4, 4, 5)
    c.add("max-pool2d", lambda x: F.max_pool2d(x, 3, 2, 1), x)
    c.add("avg-pool2d", lambda x: F.avg_pool2d(x, 3, 2, 1), x)
    c.add("avg-pool2d-without-padding", lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False), x)
    c.add("adaptive-avg-pool2d", lambda x: F.adaptive_avg_pool2d(x, (4, 3)), x)
    c.add("adaptive-max-pool2d", lambda x: F.adaptive_max_pool2d(x, (4, 3)), x)
    c.add("max-pool3d", lambda x: F.max_pool3d(x, 2), volume)
    c.add("avg-pool3d", lambda x: F.avg_pool3d(x, 2, 1), volume)
    c.add("adaptive-avg-pool3d", lambda x: F.adaptive_avg_pool3d(x, (2, 3, 2)), volume)


def resampling(c):
    x, volume, signal = random(1, 1, 5, 6), random(1, 1, 3, 4, 3), random(1, 2, 7)
    sizes = {"up": (8, 9), "down": (3, 2), "mixed": (7, 4)}
    for label, size in sizes.items():
        for mode in ["nearest", "area"]:
            c.add(f"interpolate-{mode}-{label}", lambda x: F.interpolate(x, size, mode=mode), x)
        for mode in ["bilinear", "bicubic"]:
            for corners in [False, True]:
                for smooth in [False, True]:
                    name = f"interpolate-{mode}-{label}" + "-corners" * corners + "-antialias" * smooth
                    c.add(name, lambda x: F.interpolate(x, size, mode=mode, align_corners=corners, antialias=smooth), x)
    for mode in ["nearest", "bilinear", "bicubic", "area"]:
        for factor in [0.7, 1.7, 2.0]:
            c.add(f"interpolate-{mode}-by-{factor}", lambda x: F.interpolate(x, scale_factor=factor, mode=mode), x)
    for mode, name in [("nearest", "nearest"), ("trilinear", "bilinear"), ("area", "area")]:
        c.add(f"interpolate-volume-{name}", lambda x: F.interpolate(x, (5, 3, 4), mode=mode), volume)
    for mode, name in [("nearest", "nearest"), ("linear", "bilinear"), ("area", "area")]:
        c.add(f"interpolate-signal-{name}", lambda x: F.interpolate(x, 10, mode=mode), signal)
    grid = random(1, 3, 4, 2, low=-1.4, high=1.4)
    for mode in ["bilinear", "nearest", "bicubic"]:
        for padding in ["zeros", "border", "reflection"]:
            for corners in [False, True]:
                name = f"grid-sample-{mode}-{padding}" + "-corners" * corners
                c.add(name, lambda x, g: F.grid_sample(x, g, mode, padding, corners), x, grid)
    c.add("grid-sample-volume", lambda x, g: F.grid_sample(x, g, align_corners=False), volume, random(1, 2, 2, 3, 3, low=-1.2, high=1.2))
    for corners in [False, True]:
        suffix = "-corners" * corners
        c.add("affine-grid" + suffix, lambda t: F.affine_grid(t, (2, 1, 3, 4), corners), random(2, 2, 3))
        c.add("affine-grid-volume" + suffix, lambda t: F.affine_grid(t, (1, 1, 2, 3, 2), corners), random(1, 3, 4))
    c.add("pad-constant", lambda x: F.pad(x, (1, 2, 0, 3), value=1.5), x)
    c.add("pad-crop", lambda x: F.pad(x, (-1, 2, -2, 0)), x)
    for mode in ["reflect", "replicate", "circular"]:
        c.add(f"pad-{mode}", lambda x: F.pad(x, (1, 2, 3, 0), mode), x)
    c.add("pixel-shuffle", lambda x: F.pixel_shuffle(x, 2), random(1, 8, 2, 3))
    c.add("pixel-unshuffle", lambda x: F.pixel_unshuffle(x, 2), random(1, 2, 4, 6))


def normalization(c):
    x, weight, bias = random(3, 4, 3, 5), random(4), random(4)
    mean, variance = random(4), random(4, low=0.5, high=2.0)
    c.add("batch-norm", lambda x, w, b: F.batch_norm(x, None, None, w, b, True), x, weight, bias)
    c.add("batch-norm-eval", lambda x, w, b: F.batch_norm(x, mean, variance, w, b), x, weight, bias)
    c.set("batch-norm-eval/mean", mean)
    c.set("batch-norm-eval/variance", variance)
    c.add("instance-norm", F.instance_norm, x)
    c.add("instance-norm-affine", lambda x, w, b: F.instance_norm(x, weight=w, bias=b), x, weight, bias)
    c.add("layer-norm", lambda x, w, b: F.layer_norm(x, (3, 5), w, b), x, random(3, 5), random(3, 5))
    c.add("group-norm", lambda x, w, b: F.group_norm(x, 2, w, b), x, weight, bias)
    c.add("pixel-norm", lambda x: x / (x.pow(2).mean(1, keepdim=True) + 1e-8).sqrt(), x)
    for batch, group in [(8, 4), (3, 4), (6, 2)]:
        c.add(f"minibatch-deviation-{batch}-{group}", lambda x: minibatch_deviation(x, group), random(batch, 2, 3, 2))


def minibatch_deviation(x, group_size):
    """Karras et al. 2018, section 3, group by group; the group axis is the outermost split of the batch."""
    count = len(x)
    group = min(group_size, count)
    stride = count // group
    statistics = []
    for first in range(stride):
        members = x[first::stride]
        deviation = torch.sqrt(((members - members.mean(0)) ** 2).mean(0) + 1e-8)
        statistics.append(deviation.mean())
    channel = torch.stack([statistics[i % stride] for i in range(count)])
    return torch.cat([x, channel.view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])], 1)


def losses(c):
    x, y, probability = random(3, 4), random(3, 4), random(3, 4, low=0.05, high=0.95)
    target, weight = random(3, 4, low=0.1, high=0.9), random(3, 4, low=0.2, high=2.0)
    logits, classes = random(3, 5, 2), integers(0, 5, (3, 2))
    class_weight = random(5, low=0.2, high=2.0)
    log_target = F.log_softmax(random(3, 4), 1)
    for r in ["none", "mean", "sum"]:
        c.add(f"l1-loss-{r}", lambda x, y: F.l1_loss(x, y, reduction=r), x, y)
        c.add(f"mse-loss-{r}", lambda x, y: F.mse_loss(x, y, reduction=r), x, y)
        c.add(f"smooth-l1-loss-{r}", lambda x, y: F.smooth_l1_loss(x, y, beta=0.5, reduction=r), x, y)
        c.add(f"huber-loss-{r}", lambda x, y: F.huber_loss(x, y, delta=0.7, reduction=r), x, y)
        c.add(f"bce-{r}", lambda x, y: F.binary_cross_entropy(x, y.detach(), reduction=r), probability, target)
        c.add(f"bce-weighted-{r}", lambda x, y, w: F.binary_cross_entropy(x, y.detach(), w.detach(), reduction=r), probability, target, weight)
        c.add(f"bce-logits-{r}", lambda x, y: F.binary_cross_entropy_with_logits(x, y.detach(), reduction=r), x, target)
        c.add(f"bce-logits-weighted-{r}", lambda x, y, w: F.binary_cross_entropy_with_logits(x, y.detach(), w.detach(), pos_weight=w[0].detach(), reduction=r), x, target, weight)
        c.add(f"cross-entropy-{r}", lambda x, y: F.cross_entropy(x, y, reduction=r), logits, classes)
        c.add(f"cross-entropy-weighted-{r}", lambda x, y, w: F.cross_entropy(x, y, w.detach(), reduction=r, ignore_index=2, label_smoothing=0.1), logits, classes, class_weight)
        c.add(f"nll-loss-{r}", lambda x, y: F.nll_loss(F.log_softmax(x, 1), y, reduction=r), logits, classes)
        for name, y, logarithmic in [("kl-divergence", target, False), ("kl-divergence-log", log_target, True)]:
            divergence = lambda x, y: F.kl_div(F.log_softmax(x, 1), y.detach(), reduction=r, log_target=logarithmic)
            c.add(f"{name}-{r}", divergence, x, y)


# Layers, with their state dictionaries as PyTorch writes them.


class EqualizedConv2d(nn.Module):
    def __init__(self, inputs, outputs, kernel, gain=math.sqrt(2)):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.randn(outputs))
        self.gain, self.kernel = gain, kernel

    def forward(self, x):
        fan_in = self.weight[0].numel()
        return F.conv2d(x, self.weight * (self.gain / math.sqrt(fan_in)), self.bias, padding=self.kernel // 2)


class EqualizedLinear(nn.Module):
    def __init__(self, inputs, outputs, gain=math.sqrt(2)):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs))
        self.bias = nn.Parameter(torch.randn(outputs))
        self.gain = gain

    def forward(self, x):
        return x @ self.weight.T * (self.gain / math.sqrt(self.weight.shape[1])) + self.bias


def layer_table():
    image = lambda: random(2, 4, 4, 5)
    return {
        "linear": (nn.Linear(4, 3), random(2, 4)),
        "linear-no-bias": (nn.Linear(4, 3, bias=False), random(2, 4)),
        "conv2d": (nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2), image()),
        "conv2d-dilated-no-bias": (nn.Conv2d(4, 3, 3, padding=2, dilation=2, bias=False), image()),
        "conv-transpose2d": (nn.ConvTranspose2d(4, 3, 4, stride=2, padding=1), image()),
        "conv-transpose2d-groups": (nn.ConvTranspose2d(4, 6, 3, 2, 1, 1, groups=2, bias=False), image()),
        "batch-norm2d": (nn.BatchNorm2d(4), image()),
        "batch-norm2d-eval": (nn.BatchNorm2d(4, momentum=0.3, eps=1e-3).eval(), image()),
        "batch-norm2d-plain": (nn.BatchNorm2d(4, affine=False), image()),
        "instance-norm2d": (nn.InstanceNorm2d(4), image()),
        "instance-norm2d-affine": (nn.InstanceNorm2d(4, affine=True), image()),
        "group-norm": (nn.GroupNorm(2, 4), image()),
        "layer-norm": (nn.LayerNorm((4, 5)), image()),
        "embedding": (nn.Embedding(5, 3), integers(0, 5, (2, 4))),
        "equalized-conv2d": (EqualizedConv2d(4, 3, 3), image()),
        "equalized-conv2d-linear": (EqualizedConv2d(4, 2, 1, gain=1), image()),
        "equalized-linear": (EqualizedLinear(4, 3), random(2, 4)),
        "sequential": (nn.Sequential(nn.Conv2d(4, 2, 3), nn.LeakyReLU(0.2), nn.BatchNorm2d(2)), image()),
    }


def layers():
    c = Cases("layers.safetensors")
    for name, (layer, x) in layer_table().items():
        for key, tensor in layer.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(random(*tensor.shape, low=0.5, high=1.5) if "var" in key else random(*tensor.shape))
            c.set(f"{name}/state/{key}", tensor)
        x.requires_grad_(x.is_floating_point())
        outputs = [layer(x)]
        c.record(name, "in", [x])
        c.record(name, "out", outputs)
        leaves = {f"parameter/{key}": p for key, p in layer.named_parameters()}
        c.differentiate(name, outputs, leaves | ({"grad.0": x} if x.requires_grad else {}))
        for key, buffer in layer.named_buffers():
            c.set(f"{name}/after/{key}", buffer)
    c.save()


# Optimisers: 20 steps of a small network by the single-tensor reference.

OPTIMIZERS = {
    "sgd": lambda p, **k: torch.optim.SGD(p, lr=0.05, **k),
    "sgd-momentum": lambda p, **k: torch.optim.SGD(p, lr=0.05, momentum=0.9, dampening=0.1, **k),
    "sgd-nesterov": lambda p, **k: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, **k),
    "sgd-decay": lambda p, **k: torch.optim.SGD(p, lr=0.05, momentum=0.5, weight_decay=0.1, **k),
    "adam": lambda p, **k: torch.optim.Adam(p, lr=0.01, **k),
    "adam-pggan": lambda p, **k: torch.optim.Adam(p, lr=0.01, betas=(0.0, 0.99), eps=1e-8, **k),
    "adam-decay": lambda p, **k: torch.optim.Adam(p, lr=0.01, betas=(0.5, 0.999), weight_decay=0.1, **k),
    "adamw": lambda p, **k: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1, **k),
    "rmsprop": lambda p, **k: torch.optim.RMSprop(p, lr=0.01, **k),
    "rmsprop-decay": lambda p, **k: torch.optim.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-5, weight_decay=0.1, **k),
}


def optimizers():
    c = Cases("optimizers.safetensors")
    x, y = random(8, 5), random(8, 2)
    c.set("x", x)
    c.set("y", y)
    start = {"weight1": random(6, 5), "bias1": random(6), "weight2": random(2, 6), "unused": random(2)}
    for key, tensor in start.items():
        c.set(f"start/{key}", tensor)
    for name, make in OPTIMIZERS.items():
        p = {key: tensor.clone().requires_grad_() for key, tensor in start.items()}
        extra = {} if "rmsprop" in name else {"fused": False}
        optimizer = make(list(p.values()), foreach=False, **extra)
        for _ in range(20):
            optimizer.zero_grad()
            F.mse_loss(torch.tanh(F.linear(x, p["weight1"], p["bias1"])) @ p["weight2"].T, y).backward()
            optimizer.step()
        for key, tensor in p.items():
            c.set(f"{name}/{key}", tensor)
    clipping(c)
    average(c)
    c.save()


def clipping(c):
    gradients = [random(3, 4), random(5)]
    c.record("clip", "gradient", gradients)
    for name, maximum in [("below", 100.0), ("above", 0.7)]:
        leaves = [torch.zeros_like(g).requires_grad_() for g in gradients]
        for leaf, gradient in zip(leaves, gradients):
            leaf.grad = gradient.clone()
        c.set(f"clip-{name}/norm", torch.nn.utils.clip_grad_norm_(leaves, maximum))
        c.record(f"clip-{name}", "out", [leaf.grad for leaf in leaves])


def average(c):
    source = torch.nn.Linear(3, 2)
    ema = torch.optim.swa_utils.AveragedModel(source, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9))
    ema.update_parameters(source)
    for key, tensor in source.state_dict().items():
        c.set(f"ema/start/{key}", tensor)
    for step in range(5):
        for p in source.parameters():
            p.data.copy_(random(*p.shape))
        ema.update_parameters(source)
        for key, tensor in source.state_dict().items():
            c.set(f"ema/step{step}/{key}", tensor)
    for key, tensor in ema.module.state_dict().items():
        c.set(f"ema/end/{key}", tensor)


# Schedules, as factors of the first learning rate at steps 0..<40.


def schedules():
    from torch.optim import lr_scheduler as s

    def factors(make, steps=40):
        optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
        scheduler = make(optimizer)
        values = []
        for _ in range(steps):
            values.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        return values

    table = {
        "constant": factors(lambda o: s.ConstantLR(o, factor=1)),
        "step": factors(lambda o: s.StepLR(o, 7, 0.3)),
        "linear-decay": factors(lambda o: s.LambdaLR(o, lambda e: 1 - max(0, e - 10) / 20 if e < 30 else 0)),
        "polynomial": factors(lambda o: s.PolynomialLR(o, 30, 2.5)),
        "cosine": factors(lambda o: s.CosineAnnealingLR(o, 39, eta_min=0.1)),
        "warm-up": factors(
            lambda o: s.SequentialLR(
                o, [s.LinearLR(o, start_factor=1 / 8, total_iters=7), s.StepLR(o, 10, 0.5)], milestones=[8]
            )
        ),
    }
    (FOLDER / "schedules.json").write_text(json.dumps(table, indent=0) + "\n")


# Second derivatives: gradient penalties through a small critic.


def critic(p, x):
    h = F.leaky_relu(F.conv2d(x, p["conv.weight"], p["conv.bias"], padding=1), 0.2)
    h = minibatch_deviation(h, 2)
    h = F.avg_pool2d(F.leaky_relu(F.conv2d(h, p["last.weight"], p["last.bias"], padding=1), 0.2), 2)
    return F.linear(h.flatten(1), p["out.weight"], p["out.bias"])


def penalties():
    c = Cases("penalties.safetensors")
    shapes = {"conv.weight": (3, 2, 3, 3), "conv.bias": (3,), "last.weight": (4, 4, 3, 3), "last.bias": (4,), "out.weight": (1, 16), "out.bias": (1,)}
    p = {key: (random(*shape, dtype=torch.float64) * 0.5).requires_grad_() for key, shape in shapes.items()}
    for key, tensor in p.items():
        c.set(f"state/{key}", tensor)
    x = random(4, 2, 4, 4, dtype=torch.float64)
    c.set("x", x)
    for name, penalty in {
        "wgan-gp": lambda g: (g.flatten(1).norm(dim=1) - 1).square().mean() * 10,
        "r1": lambda g: g.square().sum((1, 2, 3)).mean() * 5,
    }.items():
        inputs = x.clone().requires_grad_()
        scores = critic(p, inputs)
        (gradient,) = torch.autograd.grad(scores.sum(), inputs, create_graph=True)
        value = penalty(gradient)
        c.set(f"{name}/value", value)
        c.set(f"{name}/gradient", gradient)
        leaves = {f"parameter/{key}": tensor for key, tensor in p.items()} | {"input": inputs}
        for key, second in zip(leaves, torch.autograd.grad(value, list(leaves.values()), allow_unused=True)):
            if second is not None:
                c.set(f"{name}/{key}", second)
    c.save()


# Spectral normalisation: three forward passes of training, each with its gradients, and one of evaluation.


def spectral():
    c = Cases("spectral.safetensors")
    layers = {
        "conv2d": (nn.Conv2d(3, 5, 4, stride=2, padding=1), (2, 3, 6, 6)),
        "linear-no-bias": (nn.Linear(6, 4, bias=False), (3, 6)),
    }
    for name, (layer, shape) in layers.items():
        layer = nn.utils.spectral_norm(layer)
        for key, tensor in layer.state_dict().items():
            c.set(f"{name}/state/{key}", tensor)
        for i in range(4):
            layer.train(i < 3)
            x = random(*shape).requires_grad_()
            c.set(f"{name}/in.{i}", x)
            c.set(f"{name}/out.{i}", y := layer(x))
            leaves = {f"grad.{i}": x} | {f"parameter.{i}/{key}": p for key, p in layer.named_parameters()}
            c.differentiate(name, [y], leaves)
            for key, buffer in layer.named_buffers():
                c.set(f"{name}/after.{i}/{key}", buffer)
    c.save()


# Random numbers: the same seeds give the same numbers. Autocast. Files.


def randomness():
    c = Cases("random.safetensors")
    seeded = lambda: torch.Generator().manual_seed(1234)
    c.set("randn", torch.randn(40, generator=seeded()))
    c.set("randn-small", torch.randn(3, 2, generator=seeded()))
    c.set("rand", torch.rand(10, generator=seeded()))
    c.set("randint", torch.randint(-3, 9, (12,), generator=seeded()))
    c.set("randperm", torch.randperm(11, generator=seeded()))
    torch.manual_seed(77)
    c.set("dropout", F.dropout(torch.ones(6, 5), 0.3))
    c.set("dropout2d", F.dropout2d(torch.ones(4, 6, 2, 2), 0.4))
    x, weight = random(2, 3, 6, 6), random(4, 3, 3, 3).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        y = F.conv2d(x, weight, padding=1)
    y.float().square().sum().backward()
    c.record("autocast", "in", [x, weight])
    c.set("autocast/out", y)
    c.set("autocast/grad", weight.grad)
    c.save()


def files():
    tensors = {
        "u8": torch.tensor([0, 7, 255], dtype=torch.uint8),
        "i8": torch.tensor([-128, 0, 127], dtype=torch.int8),
        "i16": torch.tensor([[-32768, 5]], dtype=torch.int16),
        "u16": torch.tensor([0, 65535], dtype=torch.uint16),
        "i32": torch.tensor(-7, dtype=torch.int32),
        "i64": torch.tensor([2**40, -1]),
        "f16": torch.tensor([0.5, -2.0], dtype=torch.float16),
        "bf16": torch.tensor([1.5, 3.0, -8.0], dtype=torch.bfloat16),
        "f32": torch.tensor([[1.25, -3.5], [0.0, 1e-30]]),
        "f64": torch.tensor([math.pi], dtype=torch.float64),
        "bool": torch.tensor([True, False, True]),
        "empty": torch.zeros(0, 3),
        "größe/é.weight": torch.tensor([1.0]),
    }
    save_file(tensors, FOLDER / "python.safetensors", metadata={"format": "pt", "note": "größe \"1\"\n"})


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for part in [operators, functional, layers, optimizers, schedules, penalties, randomness, files, spectral]:
        part()
    total = sum(f.stat().st_size for f in FOLDER.iterdir())
    print(f"{len(list(FOLDER.iterdir()))} files, {total} bytes")


if __name__ == "__main__":
    main()
