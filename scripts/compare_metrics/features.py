# Metrics of features by pytorch-fid, torch-fidelity, prdc, scikit-learn and SciPy on the same vectors, float64.
#   compare_metrics/features.py OUT.safetensors
# Cases: `tall` has more vectors than numbers, `network` as well and a spectrum that falls like a network's, `wide`
# has fewer, so that covariances have no full rank.
import sys

import numpy as np
import torch
from prdc import compute_prdc
from pytorch_fid.fid_score import calculate_frechet_distance
from safetensors.numpy import save_file
from scipy import linalg
from sklearn.metrics.pairwise import rbf_kernel
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kernel_mmd, kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric

KERNEL = {"kid_kernel": "poly", "kid_kernel_poly_degree": 3, "kid_kernel_poly_gamma": None, "kid_kernel_poly_coef0": 1}
SUBSETS, SEED = 20, 2020


def rectified(rng, mixing, count, shift, latent):
    z = rng.standard_normal((count, latent)) * (1 + np.arange(latent)) ** -0.5 * 4 * (1 + shift)
    noise = 0.05 * rng.standard_normal((count, mixing.shape[1]))
    return np.maximum(z @ mixing[:latent] + 0.3 + shift + noise, 0).astype(np.float32)


def case_sets(rng):
    def pair(width, counts, latent):
        mixing = rng.standard_normal((latent, width)) / latent**0.5
        return [rectified(rng, mixing, n, s, latent) for n, s in zip(counts, (0, 0.2))]

    return {"tall": pair(48, (700, 640), 48), "network": pair(512, (2400, 2200), 128), "wide": pair(256, (120, 150), 64)}


def population_fid(a, b):
    covariances = [np.cov(x, rowvar=False, ddof=0) for x in (a, b)]
    root = linalg.sqrtm(covariances[0] @ covariances[1])
    offset = a.mean(0) - b.mean(0)
    return offset @ offset + sum(np.trace(c) for c in covariances) - 2 * np.trace(root).real


def fidelity_fid(a, b):
    statistics = [fid_features_to_statistics(torch.from_numpy(x)) for x in (a, b)]
    return fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]


def references(name, a, b):
    out = {"fid (torch-fidelity)": fidelity_fid(a, b)}
    if name != "wide":
        moments = [f(x) for x in (a, b) for f in (lambda x: x.mean(0), lambda x: np.cov(x, rowvar=False))]
        out["fid (pytorch-fid)"] = calculate_frechet_distance(*moments)
        out["fid_n (SciPy)"] = population_fid(a, b)
    size = min(len(a), len(b))
    out["kid_full (torch-fidelity)"] = kernel_mmd(a[:size], b[:size], **KERNEL)
    count = min(1000, size // 2)
    kid = kid_features_to_metric(
        torch.from_numpy(a), torch.from_numpy(b), kid_subsets=SUBSETS, kid_subset_size=count, rng_seed=SEED,
        verbose=False, **KERNEL)
    out["kid (torch-fidelity)"] = kid["kernel_inception_distance_mean"]
    out["kid std (torch-fidelity)"] = kid["kernel_inception_distance_std"]
    generated_first = prc_features_to_metric(
        torch.from_numpy(b), torch.from_numpy(a), prc_neighborhood=3, prc_batch_size=10000, save_cpu_ram=False,
        verbose=False)
    out["precision (torch-fidelity)"] = generated_first["precision"]
    out["recall (torch-fidelity)"] = generated_first["recall"]
    for key, value in compute_prdc(a, b, nearest_k=5).items():
        out[f"{key} (prdc)"] = value
    gamma = 1 / (2 * 10**2)
    out["cmmd (scikit-learn)"] = (
        rbf_kernel(a, a, gamma).mean() + rbf_kernel(b, b, gamma).mean() - 2 * rbf_kernel(a, b, gamma).mean())
    return out, subset_rows(len(a), len(b), count)


def subset_rows(first, second, count):
    """The rows that torch-fidelity draws."""
    rng = np.random.RandomState(SEED)
    rows = [(rng.choice(first, count, replace=False), rng.choice(second, count, replace=False)) for _ in range(SUBSETS)]
    return [np.stack(side).astype(np.int64) for side in zip(*rows)]


def main():
    out = {}
    for name, (a, b) in case_sets(np.random.default_rng(3)).items():
        values, rows = references(name, a.astype(np.float64), b.astype(np.float64))
        out |= {f"in.{name}.real": a, f"in.{name}.generated": b}
        out |= {f"in.{name}.real_rows": rows[0], f"in.{name}.generated_rows": rows[1]}
        out |= {f"ref.{name}.{key}": np.asarray(float(value)) for key, value in values.items()}
    save_file(out, sys.argv[1])


if __name__ == "__main__":
    main()
