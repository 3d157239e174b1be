"""Makes Tests/Fixtures/segmentation/unet.safetensors: U-Nets of several kinds with random weights in PyTorch, what
they answer, and the losses and gradients of one step; and sliding-window.safetensors, the same of the window
classifier, with an image labelled window by window; and s4gan.safetensors, the discriminator and the losses of s4GAN.

Usage: python make_segmentation_fixtures.py [FOLDER]   (needs torch, safetensors)
"""
import pathlib
import sys

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

KINDS = {
    "valid": {},
    "released": {"released": True},
    "same": {"same": True},
    "instance": {"same": True, "norm": "instance"},
    "batch": {"same": True, "norm": "batch"},
    "deep": {"same": True, "deep": True},
}
WIDTH, LEVELS, CHANNELS, CLASSES = 2, 3, 2, 3


class Convolution(nn.Module):
    def __init__(self, i, o, same=False, norm=None, **_):
        super().__init__()
        self.conv = nn.Conv2d(i, o, 3, padding=1 if same else 0, bias=norm is None)
        self.norm = {None: lambda: None, "instance": lambda: nn.InstanceNorm2d(o, affine=True),
                     "batch": lambda: nn.BatchNorm2d(o)}[norm]()

    def forward(self, x):
        x = self.conv(x)
        return F.relu(x if self.norm is None else self.norm(x))


class Block(nn.Module):
    def __init__(self, i, o, **kind):
        super().__init__()
        self.first, self.second = Convolution(i, o, **kind), Convolution(o, o, **kind)

    def forward(self, x):
        return self.second(self.first(x))


class Up(nn.Module):
    def __init__(self, deeper, width, raised, released=False, **kind):
        super().__init__()
        self.up = nn.ConvTranspose2d(deeper, raised, 2, stride=2)
        self.block = Block(width + raised, width, **kind)
        self.released = released

    def forward(self, x, skip):
        x = self.up(x)
        x = F.relu(x) if self.released else x
        top, left = (skip.shape[2] - x.shape[2]) // 2, (skip.shape[3] - x.shape[3]) // 2
        return self.block(torch.cat([skip[:, :, top:top + x.shape[2], left:left + x.shape[3]], x], 1))


class UNet(nn.Module):
    def __init__(self, deep=False, **kind):
        super().__init__()
        widths = [WIDTH << level for level in range(LEVELS)]
        self.down = nn.ModuleList(Block(i, o, **kind) for i, o in zip([CHANNELS] + widths, widths))
        self.up = nn.ModuleList(
            Up(widths[i + 1], widths[i], 2 * WIDTH if kind.get("released") and i == 0 else widths[i], **kind)
            for i in range(LEVELS - 1))
        self.head = nn.Conv2d(WIDTH, CLASSES, 1)
        self.auxiliary = nn.ModuleList(nn.Conv2d(w, CLASSES, 1) for w in widths[1:-1]) if deep else nn.ModuleList()

    def forward(self, x):
        kept = []
        for level, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if level else x)
            kept.append(x)
        features = []
        for level in reversed(range(LEVELS - 1)):
            x = self.up[level](x, kept[level])
            features.insert(0, x)
        return [head(f) for head, f in zip([self.head, *self.auxiliary], features)]


def losses(scores, labels, weights):
    """Weighted cross-entropy over the pixels that count, and soft Dice of the classes that occur."""
    each = F.cross_entropy(scores, labels, reduction="none")
    entropy = (each * weights).sum() / (weights > 0).sum()
    counts = (weights > 0).float()[:, None]
    p = scores.softmax(1) * counts
    t = F.one_hot(labels, CLASSES).permute(0, 3, 1, 2).float() * counts
    dice = [2 * (p[:, k] * t[:, k]).sum() / (p[:, k].sum() + t[:, k].sum()) for k in range(1, CLASSES) if t[:, k].sum() > 0]
    return entropy, 1 - torch.stack(dice).mean()


class SlidingWindow(nn.Module):
    def __init__(self, window, kernels, width, hidden):
        super().__init__()
        channels, side = CHANNELS, window
        self.convolutions = nn.ModuleList()
        for kernel in kernels:
            self.convolutions.append(nn.Conv2d(channels, width, kernel))
            channels, side = width, (side - kernel + 1) // 2
        self.hidden, self.head = nn.Linear(width * side * side, hidden), nn.Linear(hidden, CLASSES)

    def forward(self, x):
        for convolution in self.convolutions:
            x = F.max_pool2d(F.relu(convolution(x)), 2)
        return self.head(F.relu(self.hidden(x.flatten(1))))


def sliding_window(root):
    window = 21
    network = SlidingWindow(window, [4, 5], width=3, hidden=5)
    tensors = {}
    for key, value in network.state_dict().items():
        value.normal_(0, 0.3)
        tensors[f"weights/{key}"] = value.clone()
    x, labels = torch.randn(6, CHANNELS, window, window), torch.tensor([0, 1, 2, 0, 1, 2])
    scores = network(x)
    loss = F.cross_entropy(scores, labels)
    loss.backward()
    tensors.update({"input": x, "labels": labels, "scores": scores.detach(), "loss": loss.detach()})
    for key, parameter in network.named_parameters():
        tensors[f"gradient/{key}"] = parameter.grad.clone()
    image = torch.rand(1, CHANNELS, 14, 11) * 2 - 1
    wide = F.pad(image, [10, 10, 10, 10], mode="reflect")
    with torch.no_grad():
        answers = [network(wide[:, :, r:r + window, c:c + window]).softmax(1)[0] for r in range(14) for c in range(11)]
    tensors["image"], tensors["probabilities"] = image[0], torch.stack(answers, 1).reshape(CLASSES, 14, 11)
    save_file({k: v.contiguous() for k, v in tensors.items()}, root / "segmentation/sliding-window.safetensors")


class Discriminator(nn.Module):
    def __init__(self, channels, width):
        super().__init__()
        widths = [width << i for i in range(4)]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(i, o, 4, stride=2, padding=1) for i, o in zip([channels] + widths, widths))
        self.head = nn.Linear(widths[-1], 1)

    def forward(self, x):
        for convolution in self.convolutions:
            x = F.leaky_relu(convolution(x), 0.2)
        features = F.adaptive_avg_pool2d(x, 1).flatten(1)
        return self.head(features)[:, 0], features


def s4gan(root):
    network = Discriminator(CLASSES + CHANNELS, width=2)
    tensors = {}
    for key, value in network.state_dict().items():
        value.normal_(0, 0.3)
        tensors[f"weights/{key}"] = value.clone()
    truth = torch.cat([F.one_hot(torch.randint(0, CLASSES, (2, 20, 18)), CLASSES).permute(0, 3, 1, 2).float(),
                       torch.rand(2, CHANNELS, 20, 18)], 1)
    scores = torch.randn(3, CLASSES, 20, 18, requires_grad=True)
    images, pixels = torch.rand(3, CHANNELS, 20, 18), (torch.rand(3, 20, 18) > 0.2).float()
    prediction = torch.cat([scores.softmax(1) * pixels[:, None], images], 1)
    (real, real_features), (predicted, predicted_features) = network(truth), network(prediction)
    matching = (real_features.mean(0) - predicted_features.mean(0)).abs().mean()
    threshold = torch.sigmoid(predicted).median() - 1e-4
    chosen = torch.sigmoid(predicted) > threshold
    # Only what was chosen, as the images of a smaller batch.
    each = F.cross_entropy(scores[chosen], scores[chosen].detach().argmax(1), reduction="none")
    own = (each * pixels[chosen]).sum() / pixels[chosen].sum()
    gradient, = torch.autograd.grad(0.1 * matching + own, scores, retain_graph=True)
    fake, _ = network(prediction.detach())
    loss = (F.binary_cross_entropy(torch.sigmoid(fake), torch.zeros(3))
            + F.binary_cross_entropy(torch.sigmoid(real), torch.ones(2))) / 2
    loss.backward()
    tensors |= {"truth": truth, "scores": scores.detach(), "images": images, "pixels": pixels, "threshold": threshold,
                "chosen": chosen.sum().float(), "real": real, "predicted": predicted, "features": predicted_features,
                "matching": matching, "own": own, "gradient": gradient, "discriminator": loss}
    for key, parameter in network.named_parameters():
        tensors[f"gradient/{key}"] = parameter.grad.clone()
    save_file({k: v.detach().contiguous() for k, v in tensors.items()}, root / "segmentation/s4gan.safetensors")


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    tensors = {}
    for name, kind in KINDS.items():
        network = UNet(**kind)
        for key, value in network.state_dict().items():
            if key.endswith("running_var"):
                value.uniform_(0.5, 2)
            elif value.dtype.is_floating_point:
                value.normal_(0, 0.3)
            tensors[f"{name}/weights/{key}"] = value.clone()
        side = 32 if kind.get("same") else 52  # 40 + 4 n
        x = torch.randn(2, CHANNELS, side, side + 4 if not kind.get("same") else side)
        network.eval()
        scores = network(x)
        tensors[f"{name}/input"] = x
        for level, answer in enumerate(scores):
            tensors[f"{name}/scores.{level}"] = answer.detach()
        labels = torch.randint(0, CLASSES - (name == "same"), scores[0].shape[0:1] + scores[0].shape[2:])
        weights = torch.rand(labels.shape) * 2 * (torch.rand(labels.shape) > 0.2)
        tensors[f"{name}/labels"], tensors[f"{name}/pixels"] = labels, weights
        for kind_of_loss, loss in zip(("entropy", "dice"), losses(scores[0], labels, weights)):
            network.zero_grad()
            loss.backward(retain_graph=True)
            tensors[f"{name}/{kind_of_loss}"] = loss.detach()
            for key in ("down.0.first.conv.weight", "up.1.up.weight", "head.bias"):
                tensors[f"{name}/{kind_of_loss}.{key}"] = dict(network.named_parameters())[key].grad.clone()
    (root / "segmentation").mkdir(exist_ok=True)
    save_file({k: v.contiguous() for k, v in tensors.items()}, root / "segmentation/unet.safetensors")
    torch.manual_seed(1)
    sliding_window(root)
    torch.manual_seed(2)
    s4gan(root)


if __name__ == "__main__":
    main()
