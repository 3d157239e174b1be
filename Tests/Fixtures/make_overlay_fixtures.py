# Writes imaging/overlay.safetensors: label colours, overlays, contours and histograms by NumPy and scikit-image.
# Written with NumPy 2.4 and scikit-image 0.26.
#
#   python3 -m pip install numpy scikit-image safetensors
#   python3 Tests/Fixtures/make_overlay_fixtures.py
import pathlib

import numpy as np
from safetensors.numpy import save_file
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.segmentation import find_boundaries

rng = np.random.default_rng(20260721)


def lab(colours):
    return rgb2lab(np.asarray(colours)[None] / 255.0)[0]


def palette():
    """Black, Okabe and Ito's colours, then always the candidate farthest from all before it."""
    chosen = [[230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66], [0, 114, 178], [213, 94, 0], [204, 121, 167]]
    levels = np.arange(0, 256, 17)
    candidates = np.array(np.meshgrid(levels, levels, levels, indexing="ij")).reshape(3, -1).T
    places = lab(candidates)
    kept = (places[:, 0] >= 40) & (places[:, 0] <= 90) & (np.hypot(places[:, 1], places[:, 2]) >= 25)
    candidates, places = candidates[kept], places[kept]
    distances = np.min([((places - place) ** 2).sum(1) for place in lab(chosen)], 0)
    while len(chosen) < 255:
        index = distances.argmax()
        chosen.append(list(candidates[index]))
        distances = np.minimum(distances, ((places - places[index]) ** 2).sum(1))
    return np.array([[0, 0, 0]] + chosen, np.uint8)


def overlay(images, labels, colours, opacity, contours):
    base = np.repeat(images.astype(float), 3 // images.shape[1], 1)
    paint = np.moveaxis(colours[np.where(labels > 0, (labels - 1) % 255 + 1, 0)].astype(float), -1, 1)
    weight = np.where(labels > 0, opacity, 0)
    weight = np.where(contours, 1, weight)[:, None]
    return np.round(base * (1 - weight) + paint * weight).astype(np.uint8)


colours = palette()
apart = deltaE_ciede2000(lab(colours)[:, None], lab(colours)[None]) + 99 * np.eye(256)
assert apart[:17, :17].min() > 14 and apart.min() > 2.5  # 2.3 is a just noticeable difference
images = rng.integers(0, 256, (2, 1, 12, 15)).astype(np.uint8)
labels = np.repeat(np.repeat(rng.choice([0, 1, 2, 9, 300], (2, 4, 5)), 3, 1), 3, 2)
contours = np.stack([find_boundaries(one, connectivity=1, mode="inner") & (one > 0) for one in labels])
values = rng.normal(0, 1, (2, 3, 12, 15))
values[0, 0, 0, :2] = np.nan, np.inf
edges = [-2, 2]
finite = values[np.isfinite(values)]
save_path = pathlib.Path(__file__).resolve().parent / "imaging" / "overlay.safetensors"
save_file({
    "palette": colours,
    "images": images, "labels": labels.astype(np.int32), "contours": contours.astype(np.uint8),
    "overlay": overlay(images, labels, colours, 0.4, contours),
    "overlay.filled": overlay(images, labels, colours, 0.4, np.zeros_like(contours)),
    "values": values,
    "histogram": np.histogram(finite, 13, edges)[0],
    "histogram.bytes": np.histogram(images, 16, [0, 256])[0],
    "histogram.class9": np.histogram(np.moveaxis(values, 1, -1)[labels == 9], 13, edges)[0],
}, save_path)
save_path.chmod(0o644)
