# Writes imaging/objects.safetensors: separated instances and border weights by SciPy's filters and distance
# transform, filled holes and components by SciPy, watersheds and measured regions by scikit-image.
# Written with NumPy 2.4, SciPy 1.17 and scikit-image 0.26.
#
#   python3 -m pip install numpy scipy scikit-image safetensors
#   python3 Tests/Fixtures/make_objects_fixtures.py
import pathlib

import numpy as np
from safetensors.numpy import save_file
from scipy import ndimage
from skimage.measure import regionprops
from skimage.segmentation import watershed

rng = np.random.default_rng(20260905)


def discs(height, width, count, radii, step=1):
    """Discs over one another, numbered by `step`; one that is wholly hidden is missing."""
    rows, columns = np.mgrid[:height, :width]
    instances = np.zeros((height, width), np.int32)
    for number in rng.permutation(count) + 1:
        row, column, radius = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(*radii)
        instances[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = number * step
    return instances


def separated(instances, gap):
    """The rule of InstanceSeparation: odd sweeps take from the greater number, even ones from the lesser."""
    current = instances.copy()
    for reach in range(1, gap + 1):
        size, absent = 2 * reach + 1, np.iinfo(np.int32).max
        if reach % 2 == 1:
            rival = ndimage.minimum_filter(np.where(current == 0, absent, current), size, mode="constant", cval=absent)
            current = np.where(rival < current, 0, current)
        else:
            rival = ndimage.maximum_filter(current, size, mode="constant", cval=0)
            current = np.where(rival > current, 0, current)
    gone = np.setdiff1d(instances, current)
    return np.where(np.isin(instances, gone), instances, current).astype(np.int32)


def border_weights(instances, classes, w0=10.0, sigma=5.0):
    """Equation 2 of U-Net, with one distance transform for each instance."""
    weights = np.ones(instances.shape)
    if classes is not None:
        values, places, counts = np.unique(classes, return_inverse=True, return_counts=True)
        weights = (classes.size / (len(values) * counts))[places].reshape(classes.shape)
    numbers = np.unique(instances[instances > 0])
    if len(numbers) < 2:
        return weights
    distances = np.sort([ndimage.distance_transform_edt(instances != number) for number in numbers], axis=0)
    return weights + w0 * np.exp(-((distances[0] + distances[1]) ** 2) / (2 * sigma**2))


def smooth_mask(height, width, sigma, share):
    noise = ndimage.gaussian_filter(rng.standard_normal((height, width)), sigma)
    return (noise > np.quantile(noise, 1 - share)).astype(np.uint8)


tensors = {}
for name, instances in {
    "crowded": discs(40, 44, 20, (3, 7), step=3),
    "sparse": discs(56, 44, 3, (4, 6)),
    "single": discs(20, 20, 1, (4, 5)),
}.items():
    tensors[f"{name}.instances"] = instances
    for gap in (0, 1, 2, 3):
        tensors[f"{name}.separated{gap}"] = separated(instances, gap)
    apart = tensors[f"{name}.separated1"]
    tensors[f"{name}.weights"] = border_weights(apart, np.minimum(apart, 1))
    tensors[f"{name}.weights.unbalanced"] = border_weights(instances, None, w0=4, sigma=2.5)
border = border_weights(tensors["crowded.separated1"], None) - 1
tensors["crowded.weights.background"] = 1 + border * (tensors["crowded.separated1"] == 0)
tensors["crowded.classes"] = tensors["crowded.separated1"] % 4
tensors["crowded.weights.classes"] = border_weights(tensors["crowded.separated1"], tensors["crowded.classes"])

for name, mask in {
    "fine": smooth_mask(40, 50, 0.8, 0.55), "coarse": smooth_mask(44, 40, 2.0, 0.5),
    "noise": (rng.uniform(size=(32, 32)) < 0.6).astype(np.uint8),
}.items():
    tensors[f"{name}.mask"] = mask
    tensors[f"{name}.filled"] = ndimage.binary_fill_holes(mask).astype(np.uint8)
    tensors[f"{name}.components"] = ndimage.label(mask, np.ones((3, 3)))[0].astype(np.int32)

# Without equal heights the watershed has one solution; with them, scikit-image's order decides.
for name, mask in {"surface": np.ones((36, 30), np.uint8), "masked": tensors["coarse.mask"]}.items():
    heights = ndimage.gaussian_filter(rng.standard_normal(mask.shape), 2).astype(np.float32)
    markers = np.zeros(mask.shape, np.int32)
    markers.flat[rng.choice(mask.size, 12, replace=False)] = np.arange(1, 13)
    tensors[f"{name}.elevation"], tensors[f"{name}.markers"], tensors[f"{name}.within"] = heights, markers, mask
    tensors[f"{name}.basins"] = watershed(heights, markers, connectivity=2, mask=mask).astype(np.int32)
blobs = (tensors["crowded.instances"] > 0).astype(np.uint8)
distance = ndimage.distance_transform_edt(blobs).astype(np.float32)
peaks = (ndimage.maximum_filter(distance, 9) == distance) & (blobs > 0)
tensors["distance.elevation"], tensors["distance.within"] = -distance, blobs
tensors["distance.markers"] = ndimage.label(peaks, np.ones((3, 3)))[0].astype(np.int32)
tensors["distance.basins"] = watershed(
    -distance, tensors["distance.markers"], connectivity=2, mask=blobs).astype(np.int32)

image = rng.integers(0, 256, tensors["crowded.instances"].shape).astype(np.uint8)
tensors["regions.image"] = image
regions = regionprops(tensors["crowded.instances"], image)
tensors["regions.values"] = np.array([
    [r.label, r.area, *r.centroid, *r.bbox, r.perimeter, r.intensity_mean, r.intensity_min, r.intensity_max]
    for r in regions], np.float64)

path = pathlib.Path(__file__).resolve().parent / "imaging" / "objects.safetensors"
narrow = {"int32": np.uint8, "float64": np.float32}  # no number is above 255
tensors = {name: value.astype(narrow.get(value.dtype.name, value.dtype)) for name, value in tensors.items()}
save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, path)
path.chmod(0o644)
