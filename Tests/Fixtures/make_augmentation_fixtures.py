# Writes imaging/augmentation.{json,safetensors}: draws as Limn stores them, and what SciPy, NumPy and PyTorch make of
# one batch by them. Geometry is written forwards here (where a pixel goes) and inverted as a matrix; Limn composes the
# inverses. Written with NumPy 2.4, SciPy 1.17, scikit-image 0.26 and PyTorch 2.11.
#
#   python3 -m pip install numpy scipy scikit-image torch safetensors
#   python3 Tests/Fixtures/make_augmentation_fixtures.py
import json
import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file
from scipy import ndimage
from skimage.transform import rotate

FOLDER = pathlib.Path(__file__).resolve().parent / "imaging"
rng = np.random.default_rng(20260720)
INTENSITY = ("gamma", "brightness", "contrast", "noise", "biasField")
COUNT, CHANNELS, HEIGHT, WIDTH = 2, 1, 19, 25


def scene():
    smooth = ndimage.gaussian_filter(rng.standard_normal((COUNT, CHANNELS, HEIGHT, WIDTH)), (0, 0, 2, 2))
    ramp = np.linspace(-1, 1, WIDTH) + np.linspace(0, 0.5, HEIGHT)[:, None]
    image = smooth / np.abs(smooth).max() + 0.5 * ramp
    return (image / np.abs(image).max() * 0.95).astype(np.float32)


def classes():
    field = ndimage.gaussian_filter(rng.standard_normal((COUNT, HEIGHT, WIDTH)), (0, 2, 2))
    return np.array([0, 3, 7, 200], np.uint8)[np.digitize(field, np.quantile(field, [0.3, 0.6, 0.85]))]


# Geometry. A chain is a list of steps back to the source: matrices of pixel positions (x, y, 1), and deformations.


def about_centre(linear, size):
    height, width = size
    centre = np.array([[1, 0, (width - 1) / 2], [0, 1, (height - 1) / 2], [0, 0, 1]])
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    return centre @ matrix @ np.linalg.inv(centre)


def translation(x, y):
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1.0]])


def forward(name, given, size):
    if name == "flip":
        return about_centre(np.diag([-1, 1] if given["axis"] == "horizontal" else [1, -1]), size)
    if name in ("rotation", "quarterTurns"):
        angle = np.deg2rad(given["degrees"] if name == "rotation" else 90 * given["count"])
        cosine, sine = np.cos(angle), np.sin(angle)
        return about_centre([[cosine, sine], [-sine, cosine]], size)  # counter-clockwise, y downwards
    if name == "scale":
        return about_centre(np.diag([given["factor"]] * 2), size)
    if name == "shear":
        return about_centre([[1, np.tan(np.deg2rad(given["degrees"]))], [0, 1]], size)
    if name == "shift":
        return translation(given["x"], given["y"])
    return translation(-given["left"], -given["top"])


def coarse_field(given, size):
    """The displacement at any position: SciPy's cubic spline through the nodes, the outermost pixels' beyond them."""
    side = int(len(given["x"]) ** 0.5)
    nodes = {axis: np.reshape(given[axis], (side, side)) for axis in "xy"}

    def at(x, y):
        u = np.clip(x / (size[1] - 1), 0, 1) * (side - 1)
        v = np.clip(y / (size[0] - 1), 0, 1) * (side - 1)
        return [ndimage.map_coordinates(nodes[axis], [v, u], order=3, mode="mirror") for axis in "xy"]

    return at


def smooth_field(given, size):
    radius = int(np.ceil(3 * given["sigma"]))
    kernel = np.exp(-np.arange(-radius, radius + 1.0) ** 2 / (2 * given["sigma"] ** 2))
    kernel /= kernel.sum()
    generator = torch.Generator().manual_seed(given["seed"])
    noise = torch.rand([2, size[0] + 2 * radius, size[1] + 2 * radius], generator=generator).double().numpy() * 2 - 1
    for axis in (1, 2):
        noise = ndimage.convolve1d(noise, kernel, axis=axis)
    inside = slice(radius, -radius)
    field = noise[:, inside, inside] * given["magnitude"] * np.sqrt(3) / np.sum(kernel**2)

    def at(x, y):
        return [ndimage.map_coordinates(axis, [y, x], order=1, mode="nearest") for axis in field]

    return at


def positions(transforms):
    """Where each pixel of the result lies in the source, and the result's size."""
    size, back = (HEIGHT, WIDTH), []
    for transform in transforms:
        [(name, given)] = transform.items()
        if name in INTENSITY:
            continue
        if name == "gridDeformation":
            back.append(coarse_field(given, size))
        elif name == "smoothDeformation":
            back.append(smooth_field(given, size))
        else:
            back.append(np.linalg.inv(forward(name, given, size)))
            size = (given["height"], given["width"]) if name == "window" else size
    y, x = np.mgrid[: size[0], : size[1]].astype(float)
    for step in reversed(back):
        if callable(step):
            dx, dy = step(x, y)
            x, y = x + dx, y + dy
        else:
            x, y = step[0, 0] * x + step[0, 1] * y + step[0, 2], step[1, 0] * x + step[1, 1] * y + step[1, 2]
    return y, x


def sampled(array, places, order, border, outside):
    mode = {"reflect": "mirror", "constant": "grid-constant"}[border]
    return ndimage.map_coordinates(array, places, order=order, mode=mode, cval=outside)


# Intensity, on u in [0, 1].


def changed(image, transforms, low, high):
    u = (image.astype(float) - low) / (high - low)
    kinds = [next(iter(transform.items())) for transform in transforms]
    kinds = [(name, given) for name, given in kinds if name in INTENSITY]
    for name, given in kinds:
        if name == "gamma":
            u = np.sign(u) * np.abs(u) ** given["exponent"]
        elif name == "brightness":
            u = u + given["offset"]
        elif name == "contrast":
            u = u.mean() + given["factor"] * (u - u.mean())
        elif name == "noise":
            generator = torch.Generator().manual_seed(given["seed"])
            u = u + given["deviation"] * torch.randn(list(u.shape), generator=generator).numpy()
        else:
            y, x = np.meshgrid(np.linspace(-1, 1, u.shape[1]), np.linspace(-1, 1, u.shape[2]), indexing="ij")
            powers = [(d - j, j) for d in range(1, 5) for j in range(d + 1)]
            u = u * np.exp(sum(c * x**i * y**j for c, (i, j) in zip(given["coefficients"], powers)))
    return np.clip(u, 0, 1) * (high - low) + low if kinds else image


def grid(deviation, side=3):
    return {"gridDeformation": {axis: [float(v) for v in rng.normal(0, deviation, side * side)] for axis in "xy"}}


rotation = {"rotation": {"degrees": 27.25}}
window = {"window": {"top": 3, "left": 4, "height": 12, "width": 17}}
smooth = {"smoothDeformation": {"magnitude": 1.5, "sigma": 2.5, "seed": 90071992547}}
chain = [{"flip": {"axis": "horizontal"}}, rotation, {"shear": {"degrees": 8.5}}, {"scale": {"factor": 1.17}},
         {"shift": {"x": 2.375, "y": -4.1}}]
CASES = {  # name: (tolerance, border, transforms of each image)
    "flips": (0, "reflect", [[{"flip": {"axis": "horizontal"}}], [{"flip": {"axis": "vertical"}}]]),
    "quarter": (1e-5, "constant", [[{"quarterTurns": {"count": 1}}], [{"quarterTurns": {"count": 2}}]]),
    "rotation": (1e-5, "constant", [[rotation], [{"rotation": {"degrees": -140.5}}]]),
    "affine": (1e-5, "reflect", [chain, chain[::-1]]),
    "affine-constant": (1e-5, "constant", [chain[::-1], chain]),
    "windows": (0, "reflect", [[window], [window | {"window": window["window"] | {"top": 7, "left": 7}}]]),
    "padding": (0, "reflect", [[{"window": {"top": -6, "left": -5, "height": 31, "width": 34}}]] * 2),
    "padding-constant": (0, "constant", [[{"window": {"top": -6, "left": -5, "height": 31, "width": 34}}]] * 2),
    "mixed": (1e-5, "reflect", [[window, {"flip": {"axis": "vertical"}}], [rotation, window]]),
    "grid": (1e-4, "reflect", [[grid(3)], [grid(4)]]),
    "grid-fine": (1e-4, "constant", [[grid(1.5, 5)], [rotation, grid(1.5, 5)]]),
    "smooth": (1e-4, "reflect", [[smooth], [{"smoothDeformation": {"magnitude": 3.0, "sigma": 2.5, "seed": 4}}]]),
    # A deformation that is not last is read between its pixels: linearly by Limn, exactly here.
    "grid-rotated": (1e-2, "reflect", [
        [{"scale": {"factor": 0.9}}, grid(2), rotation, window], [grid(2), rotation, window]]),
    "gamma": (1e-5, "reflect", [[{"gamma": {"exponent": 0.6}}], [{"gamma": {"exponent": 1.9}}]]),
    "brightness": (1e-5, "reflect", [[{"brightness": {"offset": 0.15}}], [{"brightness": {"offset": -0.2}}]]),
    "contrast": (1e-5, "reflect", [[{"contrast": {"factor": 1.4}}], [{"contrast": {"factor": 0.7}}]]),
    "noise": (1e-5, "reflect", [
        [{"noise": {"deviation": 0.08, "seed": 5}}], [{"noise": {"deviation": 0.02, "seed": 6}}]]),
    "bias": (1e-5, "reflect", [[{"biasField": {"coefficients": [float(v) for v in rng.uniform(-0.5, 0.5, 9)]}}],
                               [{"biasField": {"coefficients": [0.3, -0.2]}}]]),
    "all": (1e-4, "reflect", [
        [{"gamma": {"exponent": 0.8}}, *chain, {"noise": {"deviation": 0.05, "seed": 17}}, {"contrast": {"factor": 1.2}},
         window],
        [{"contrast": {"factor": 1.3}}, window, {"brightness": {"offset": 0.1}}, {"gamma": {"exponent": 1.3}}]]),
}

images, labels = scene(), classes()
CASES = {name: (*case, 1) for name, case in CASES.items()}
# Images by the nearest pixel: misalignment as RegGAN's code draws it, levels 2 and 5, parameters of another generator.
noise = np.random.default_rng(5)
for level in (2, 5):
    CASES[f"misaligned-{level}"] = (0, "constant", [[
        {"rotation": {"degrees": noise.uniform(-level, level)}},
        {"scale": {"factor": noise.uniform(1 - 0.02 * level, 1 + 0.02 * level)}},
        {"shift": {axis: float(round(noise.uniform(-0.02, 0.02) * level * side))
                   for axis, side in (("x", WIDTH), ("y", HEIGHT))}}] for _ in range(COUNT)], 0)
ct = (images * 1500 - 200).astype(np.float32)
tensors = {"images": images, "labels": labels}
cases = []
for name, (tolerance, border, draws, order) in CASES.items():
    results, maps, masks = [], [], []
    for index, draw in enumerate(draws):
        places = positions(draw)
        moved = np.stack([sampled(c, places, order, border, -1) for c in images[index].astype(float)])
        results.append(changed(moved, draw, -1, 1))
        masks.append(sampled(labels[index], places, 0, border, 5))
    tensors[f"{name}.images"] = np.stack(results).astype(np.float32)
    tensors[f"{name}.labels"] = np.stack(masks)
    cases.append({"name": name, "tolerance": tolerance, "draw": {"border": border, "images": draws}
                  | ({"interpolation": "nearest"} if order == 0 else {})})

# Another range of values: Hounsfield units, white at 1000 and black at -1000.
gamma = CASES["gamma"][2]
tensors["ct.images"] = np.stack([changed(ct[i], gamma[i], -1000, 1000) for i in range(COUNT)]).astype(np.float32)

# The references agree with references of their own.
angle = rotation["rotation"]["degrees"]
turned = rotate(images[0, 0].astype(float), angle, order=1, mode="reflect")
middle = (slice(6, -6), slice(8, -8))
places = positions([rotation])
assert np.abs(turned - sampled(images[0, 0].astype(float), places, 1, "reflect", 0))[middle].max() < 1e-6
y, x = np.mgrid[:HEIGHT, :WIDTH].astype(float)
field = coarse_field(CASES["grid"][2][0][0]["gridDeformation"], (HEIGHT, WIDTH))
tensors["grid.field"] = np.stack(field(x, y)).astype(np.float32)

path = FOLDER / "augmentation.safetensors"
save_file({key: np.ascontiguousarray(value) for key, value in tensors.items()}, path)
path.chmod(0o644)
lines = ",\n".join(json.dumps(case) for case in cases)
(FOLDER / "augmentation.json").write_text(f"[\n{lines}\n]\n")
