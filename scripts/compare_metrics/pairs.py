"""The reference side of the metrics of pairs: translation and segmentation.

    pairs.py OUT.safetensors            as scripts/compare-metrics calls it
    pairs.py OUT.safetensors --small    the few small cases of Tests/Fixtures/metrics/pairs.safetensors

Writes inputs `in.CASE.X` and reference values `ref.CASE.METRIC`. References: scikit-image (SSIM, variation of
information, components), scikit-learn (ROC, PR, Rand index, confusion matrix, calibration curve, Brier), DeepMind's
surface-distance, MedPy, SciPy (distance transform, components); where no package has the measure, a few lines that
follow its definition and nothing else.
"""
import argparse
import heapq
import itertools
import math
import warnings

import numpy as np

np.Inf = np.inf  # surface-distance 0.1 was written for numpy 1

import scipy.ndimage as ndi  # noqa: E402
import scipy.stats  # noqa: E402
import skimage.metrics as skm  # noqa: E402
import sklearn.calibration as calibration  # noqa: E402
import sklearn.metrics as sk  # noqa: E402
from medpy.metric import binary as medpy  # noqa: E402
from safetensors.numpy import save_file  # noqa: E402
from surface_distance import lookup_tables, metrics as surface  # noqa: E402

warnings.simplefilter("ignore")
OUT = {}


def put(case, inputs, values):
    for key, value in inputs.items():
        OUT[f"in.{case}.{key}"] = np.ascontiguousarray(value)
    for key, value in values.items():
        OUT[f"ref.{case}.{key}"] = np.atleast_1d(np.asarray(value, np.float64))


def smooth(rng, shape, sigma):
    x = ndi.gaussian_filter(rng.standard_normal(shape), sigma)
    return (x - x.min()) / (x.max() - x.min())


# --- translation ---------------------------------------------------------------------------------------------------

def nmi(a, b):
    counts = np.histogram2d(a.ravel(), b.ravel(), bins=64, range=[(-1, 1)] * 2)[0]
    entropies = sum(scipy.stats.entropy(counts.sum(axis)) for axis in (0, 1))
    return entropies / (entropies - sk.mutual_info_score(None, None, contingency=counts))


def translation(case, rng, slices, size):
    """Slices of a head-like disc on a background of -1, the fake one noisy."""
    y, x = np.mgrid[:size, :size] - size / 2
    real = smooth(rng, (slices, size, size), (0, 2, 2)) * 1.9 - 0.95
    for k in range(slices):
        real[k][x ** 2 * (1 + 0.2 * k) + y ** 2 > (0.4 * size) ** 2] = -1
    fake = np.clip(real + 0.15 * rng.standard_normal(real.shape), -1, 1)
    # What 16-bit files hold; stored as integers, both sides make the same numbers of them.
    codes = [np.round((v + 1) * 32767.5).astype(np.int32) for v in (real, fake)]
    real, fake = [c / 32767.5 - 1 for c in codes]
    refs = {name: [] for name in ("nmae_fg", "nmae", "psnr_fg", "psnr", "psnr_reggan_legacy", "ssim_reggan", "ssim",
                                  "mae", "mae_fg", "nmi")}
    for r, f in zip(real, fake):
        fg = r != -1
        refs["nmae_fg"].append(np.abs(f - r)[fg].mean() / 2)
        refs["nmae"].append(np.abs(f - r).mean() / 2)
        refs["psnr_fg"].append(20 * math.log10(1 / math.sqrt((((f + 1) / 2 - (r + 1) / 2)[fg] ** 2).mean())))
        refs["psnr"].append(skm.peak_signal_noise_ratio(r, f, data_range=2))
        rows, columns = np.nonzero(fg)
        legacy = (((f[rows][columns] + 1) / 2 - (r[rows][columns] + 1) / 2) ** 2).mean()
        refs["psnr_reggan_legacy"].append(20 * math.log10(1 / math.sqrt(legacy)))
        refs["ssim_reggan"].append(skm.structural_similarity(r, f, data_range=2, win_size=7))
        refs["ssim"].append(skm.structural_similarity(
            r, f, data_range=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False))
        hu_r, hu_f = ((v + 1) / 2 * 3000 - 1000 for v in (r, f))
        refs["mae"].append(np.abs(hu_f - hu_r).mean())
        refs["mae_fg"].append(np.abs(hu_f - hu_r)[fg].mean())
        refs["nmi"].append(nmi(r, f))
    fg = real != -1
    refs["nmae_fg_pooled"] = np.abs(fake - real)[fg].mean() / 2
    refs["psnr_pooled"] = skm.peak_signal_noise_ratio(real, fake, data_range=2)
    refs["nmi_pooled"] = nmi(real, fake)
    refs["psnr_fg_pooled"] = 10 * math.log10(4 / ((fake - real)[fg] ** 2).mean())
    put(case, {"real": codes[0].astype(np.uint16), "fake": codes[1].astype(np.uint16)}, refs)


# --- classes and scores --------------------------------------------------------------------------------------------

def classes(case, rng, count, size, k=4):
    field = np.stack([smooth(rng, (count, size, size), (0, 3, 3)) for _ in range(k)], 1)
    truth = field.argmax(1)
    logits = (field + 0.12 * rng.standard_normal(field.shape)) * 12
    p = np.exp(logits - logits.max(1, keepdims=True))
    p = (p / p.sum(1, keepdims=True)).astype(np.float32)
    prediction = p.argmax(1)
    y, x = np.mgrid[:size, :size] - size / 2
    mask = np.broadcast_to(x ** 2 + y ** 2 < (0.45 * size) ** 2, truth.shape)
    t, q = truth[mask], prediction[mask]
    matrix = sk.confusion_matrix(t, q, labels=range(k))
    refs = {"confusion": matrix.ravel(), "accuracy": sk.accuracy_score(t, q),
            "dice_pooled": sk.f1_score(t, q, average=None, labels=range(k)),
            "iou_pooled": sk.jaccard_score(t, q, average=None, labels=range(k)),
            "sensitivity": sk.recall_score(t, q, average=None, labels=range(k), zero_division=np.nan),
            "precision": sk.precision_score(t, q, average=None, labels=range(k), zero_division=np.nan),
            "specificity": [sk.recall_score(t != c, q != c) for c in range(k)],
            "dice_per_image": np.stack([sk.f1_score(a[m], b[m], average=None, labels=range(k), zero_division=np.nan)
                                        for a, b, m in zip(truth, prediction, mask)]),
            "iou_per_image": np.stack([sk.jaccard_score(a[m], b[m], average=None, labels=range(k))
                                       for a, b, m in zip(truth, prediction, mask)])}
    # Scores on a coarse grid, so that many are tied.
    score = np.round(p[:, 1] * 64) / 64
    s, positive = score[mask], t == 1
    precision, recall, _ = sk.precision_recall_curve(positive, s)
    refs |= {"roc_auc": sk.roc_auc_score(positive, s), "pr_auc_ap": sk.average_precision_score(positive, s),
             "pr_auc_trapezoid": sk.auc(recall, precision)}
    fpr, tpr, _ = sk.roc_curve(positive, s, drop_intermediate=False)
    refs["sensitivity_at_specificity"] = np.interp([0.013, 0.0517, 0.3], fpr, tpr)
    p64 = p.astype(np.float64)
    confidence, right = p64.max(1)[mask], (truth == prediction)[mask]
    for name, prob, happened in (("ece_positive", s.astype(np.float64), positive), ("ece_top", confidence, right)):
        edges = np.linspace(0, 1, 16)
        inside = np.clip(np.searchsorted(edges, prob, side="left") - 1, 0, 14)
        refs[name] = sum(abs(prob[inside == b].sum() - happened[inside == b].sum()) for b in range(15)) / prob.size
    frequency, mean = calibration.calibration_curve(positive, s.astype(np.float64), n_bins=15)
    refs |= {"reliability_frequency": frequency, "reliability_confidence": mean,
             "brier_positive": sk.brier_score_loss(positive, s.astype(np.float64)),
             "brier_top": ((p64 - np.eye(k)[truth].transpose(0, 3, 1, 2)) ** 2).sum(1)[mask].mean()}
    put(case, {"truth": truth.astype(np.uint8), "probabilities": p, "mask": mask.astype(np.uint8)}, refs)


# --- surfaces ------------------------------------------------------------------------------------------------------

def deepmind(truth, prediction, spacing, tolerance):
    d = surface.compute_surface_distances(truth, prediction, spacing)
    asd = surface.compute_average_surface_distance(d)
    both = np.concatenate([d["distances_gt_to_pred"] * d["surfel_areas_gt"],
                           d["distances_pred_to_gt"] * d["surfel_areas_pred"]])
    area = d["surfel_areas_gt"].sum() + d["surfel_areas_pred"].sum()
    return {"hd95_deepmind": surface.compute_robust_hausdorff(d, 95),
            "hd_deepmind": surface.compute_robust_hausdorff(d, 100),
            "asd": asd, "assd_deepmind": both.sum() / area,
            "nsd": surface.compute_surface_dice_at_tolerance(d, tolerance)}


def surfaces(case, rng, shape, spacing, tolerance, sigma=3):
    field = smooth(rng, shape, sigma)
    truth = field > 0.55
    prediction = (field + 0.08 * smooth(rng, shape, sigma / 2)) > 0.57
    prediction[tuple(slice(2, 5) for _ in shape)] = True
    refs = deepmind(truth, prediction, spacing, tolerance)
    refs |= {"hd95_medpy": medpy.hd95(prediction, truth, voxelspacing=spacing),
             "hd_medpy": medpy.hd(prediction, truth, voxelspacing=spacing),
             "assd_medpy": medpy.assd(prediction, truth, voxelspacing=spacing),
             "distances": ndi.distance_transform_edt(~truth, sampling=spacing).sum(axis=-1)}
    put(case, {"truth": truth.astype(np.uint8), "prediction": prediction.astype(np.uint8),
               "spacing": np.array(spacing, np.float64), "tolerance": np.array([tolerance], np.float64)}, refs)


def voxels(case):
    """Single voxels, 3 steps apart, one of them at the edge."""
    truth, prediction = np.zeros((2, 5, 6, 7), bool)
    truth[0, 0, 0] = True
    prediction[0, 3, 0] = True
    spacing = (2.0, 1.5, 1.0)
    refs = deepmind(truth, prediction, spacing, 1.0)
    refs |= {"hd95_medpy": medpy.hd95(prediction, truth, voxelspacing=spacing),
             "hd_medpy": medpy.hd(prediction, truth, voxelspacing=spacing),
             "assd_medpy": medpy.assd(prediction, truth, voxelspacing=spacing),
             "distances": ndi.distance_transform_edt(~truth, sampling=spacing).sum(axis=-1)}
    put(case, {"truth": truth.astype(np.uint8), "prediction": prediction.astype(np.uint8),
               "spacing": np.array(spacing), "tolerance": np.array([1.0])}, refs)


def element_tables():
    spacing = (1.7, 0.6, 1.1)
    # Bit 2^(4i+2j+k) of Limn is bit 2^(7-(4i+2j+k)) of the reference: the same cell, read backwards.
    def backwards(n, width):
        return int(format(n, f"0{width}b")[::-1], 2)
    areas = lookup_tables.create_table_neighbour_code_to_surface_area(spacing)
    lengths = lookup_tables.create_table_neighbour_code_to_contour_length(spacing[:2])
    put("tables", {"spacing": np.array(spacing)},
        {"areas": [areas[backwards(n, 8)] for n in range(256)],
         "lengths": [lengths[backwards(n, 4)] for n in range(16)]})


# --- partitions ----------------------------------------------------------------------------------------------------

def label4(mask):
    return ndi.label(mask)[0]


def simple(ring):
    """Of eight neighbours clockwise from the upper left: one 4-connected part of foreground that touches the middle by
    an edge, one 8-connected part of background; by labelling, as the definition says."""
    block = np.zeros((3, 3), bool)
    places = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
    for p, v in zip(places, ring):
        block[p] = v
    inside = ndi.label(block)[0]
    touching = {inside[p] for p in ((0, 1), (1, 2), (2, 1), (1, 0))} - {0}
    outside = ~block
    outside[1, 1] = False
    return len(touching) == 1 and ndi.label(outside, np.ones((3, 3)))[1] == 1


SIMPLE = np.array([simple([n >> i & 1 for i in range(8)]) for n in range(256)])


def change_simple(image, key):
    """Always the simple candidate of the least key, first in the image among equals; each at most once."""
    h, w = image.shape
    framed = np.pad(image, 1)
    ring = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]

    def is_simple(y, x):
        return SIMPLE[sum(1 << i for i, (dy, dx) in enumerate(ring) if framed[y + 1 + dy, x + 1 + dx])]

    queue = [(key[y, x], y * w + x) for y, x in zip(*np.nonzero(~np.isnan(key)))]
    heapq.heapify(queue)
    done = np.zeros((h, w), bool)
    while queue:
        _, place = heapq.heappop(queue)
        y, x = divmod(place, w)
        if done[y, x] or not is_simple(y, x):
            continue
        done[y, x] = True
        framed[y + 1, x + 1] = not framed[y + 1, x + 1]
        for dy, dx in ring:
            v, u = y + dy, x + dx
            if 0 <= v < h and 0 <= u < w and not done[v, u] and not np.isnan(key[v, u]):
                heapq.heappush(queue, (key[v, u], v * w + u))
    return framed[1:-1, 1:-1]


def thinned(mask):
    distance = ndi.distance_transform_edt(~mask)
    return change_simple(mask, np.where(mask, np.nan, np.round(distance ** 2)))


def warping_error(truth, probability, threshold, radius=5):
    prediction = probability > threshold
    near = np.where(truth, ndi.distance_transform_edt(truth), ndi.distance_transform_edt(~truth)) <= radius
    key = np.where((truth != prediction) & near, -np.abs(probability - threshold), np.nan)
    return (change_simple(truth, key) != prediction).mean()


def joint(truth, proposal):
    """Counts over pixels of true objects; each border pixel of the proposal is an object of its own."""
    inside = truth > 0
    t, s = truth[inside], proposal[inside].astype(np.int64)
    alone = s == 0
    s[alone] = s.max() + 1 + np.arange(alone.sum())
    return t, s


def v_rand(truth, proposal):
    t, s = joint(truth, proposal)
    p = np.unique(np.stack([t, s]), axis=1, return_counts=True)[1].astype(float)
    a, b = (np.unique(v, return_counts=True)[1].astype(float) for v in (s, t))
    return (p ** 2).sum() / (0.5 * (a ** 2).sum() + 0.5 * (b ** 2).sum())


def v_info(truth, proposal):
    t, s = joint(truth, proposal)
    mutual = sk.mutual_info_score(t, s)
    h = [-(q * np.log(q)).sum() for q in (np.unique(v, return_counts=True)[1] / t.size for v in (s, t))]
    return mutual / (0.5 * h[0] + 0.5 * h[1]) if sum(h) else 1.0


def membrane_images(case, rng, size, cells):
    """A partition by nearest centre with borders of two pixels, and a probability of its inside, blurred and noisy,
    with some borders faded."""
    points = rng.uniform(0, size, (cells, 2))
    y, x = np.mgrid[:size, :size]
    distance = np.sort(np.hypot(y[..., None] - points[:, 0], x[..., None] - points[:, 1]), axis=-1)
    truth = distance[..., 1] - distance[..., 0] > 2
    soft = ndi.gaussian_filter(truth.astype(float), 1.0)
    fade = smooth(rng, (size, size), size / 12)
    probability = np.clip(soft + 0.5 * (fade > 0.6) * (soft < 0.9) + 0.18 * rng.standard_normal((size, size)), 0, 1)
    probability = (np.round(ndi.gaussian_filter(probability, 0.7) * 100)).astype(np.uint8)
    put(case, {"truth": truth.astype(np.uint8), "percent": probability}, {})
    return truth, probability / 100


def membranes(case, rng, size, cells, thresholds):
    truth, p = membrane_images(case, rng, size, cells)
    objects = label4(truth)
    names = ("vrand_fg", "vinfo_fg", "vrand_fg_thin", "vinfo_fg_thin", "rand_error_fg", "pixel_error", "warping_error")
    refs = {name: [] for name in names}
    for t in thresholds:
        proposal = p > t
        found, thin = label4(proposal), label4(thinned(proposal))
        values = (v_rand(objects, found), v_info(objects, found), v_rand(objects, thin), v_info(objects, thin),
                  1 - sk.rand_score(*joint(objects, found)), (truth != proposal).mean(), warping_error(truth, p, t))
        for name, value in zip(names, values):
            refs[name].append(value)
    middle = label4(p > thresholds[len(thresholds) // 2])
    refs |= {"rand_error": 1 - sk.rand_score(objects.ravel(), middle.ravel()),
             "variation_of_information": sum(skm.variation_of_information(objects, middle)) * math.log(2),
             "components4": label4(truth).max(), "components8": ndi.label(truth, np.ones((3, 3)))[1]}
    put(case, {"thresholds": np.array(thresholds)}, refs)


# --- objects -------------------------------------------------------------------------------------------------------

def objects(case, rng, size, count):
    y, x = np.mgrid[:size, :size]
    truth, prediction = np.zeros((2, size, size), np.uint16)
    for k in range(1, count + 1):
        cy, cx, r = *rng.uniform(0, size, 2), rng.uniform(3, size / 9)
        truth[(y - cy) ** 2 + (x - cx) ** 2 < r * r] = k
        cy, cx, r = cy + rng.normal(0, 1), cx + rng.normal(0, 1), r * rng.uniform(0.8, 1.15)
        if k % 5:
            prediction[(y - cy) ** 2 + (x - cx) ** 2 < r * r] = 3 * count - 2 * k
        if k % 6 == 0:
            prediction[(y - cy) ** 2 + (x - cx) ** 2 < r * r / 4] = 10 * count + k
    overlaps = {}
    true_ids, found_ids = [np.unique(v)[1:] for v in (truth, prediction)]
    for a, b in itertools.product(true_ids, found_ids):
        both = ((truth == a) & (prediction == b)).sum()
        if both:
            overlaps[a, b] = both, ((truth == a) | (prediction == b)).sum()
    seg = []
    for a in true_ids:
        match = [i / u for (t, _), (i, u) in overlaps.items() if t == a and i > 0.5 * (truth == a).sum()]
        seg.append(match[0] if match else 0.0)
    around = [ndi.binary_dilation(truth == a, np.ones((3, 3))) & (truth != a) & (truth > 0) for a in true_ids]
    touching = [score for score, pixels in zip(seg, around) if pixels.any()]
    precisions = []
    for k in range(10, 20):
        hits = sum(20 * int(i) > k * int(u) for i, u in overlaps.values())
        precisions.append(hits / (len(true_ids) + len(found_ids) - hits))
    put(case, {"truth": truth, "prediction": prediction},
        {"seg": np.mean(seg), "seg_scores": seg, "seg_touching": np.mean(touching),
         "precisions": precisions, "map_dsb2018": np.mean(precisions)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    rng = np.random.default_rng(20)
    if options.small:
        translation("slices", rng, 2, 48)
        classes("classes", rng, 2, 24)
        surfaces("plane", rng, (40, 48), (1.0, 1.0), 1.0)
        surfaces("plane-mm", rng, (40, 48), (0.7, 1.9), 1.5)
        surfaces("volume-mm", rng, (14, 18, 22), (2.5, 0.8, 1.1), 1.2, 2)
        membranes("membranes", rng, 72, 14, [0.3, 0.5, 0.7])
        objects("objects", rng, 64, 12)
    else:
        translation("slices", rng, 8, 256)
        classes("classes", rng, 4, 128)
        surfaces("plane", rng, (256, 256), (1.0, 1.0), 2.0, 8)
        surfaces("plane-mm", rng, (256, 200), (0.7, 1.9), 1.5, 8)
        surfaces("volume", rng, (40, 64, 64), (1.0, 1.0, 1.0), 1.0, 4)
        surfaces("volume-mm", rng, (40, 64, 64), (2.5, 0.8, 1.1), 1.2, 4)
        membranes("membranes", rng, 256, 60, [k / 10 for k in range(1, 10)])
        objects("objects", rng, 256, 40)
    voxels("voxels")
    element_tables()
    save_file(OUT, options.out)


if __name__ == "__main__":
    main()
