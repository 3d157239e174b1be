# Writes metrics/features.safetensors: small sets of features and what NumPy and SciPy make of them by the textbook
# formulas, in float64.
#   wide.a [20, 32], wide.b [25, 32]: fewer vectors than numbers in each, so covariances without full rank.
#   tall.a [300, 12], tall.b [280, 12]: full rank, rectified as a network's features are.
#   dead.a [60, 8], dead.b [60, 8]: features 2 and 5 never fire.
import pathlib

import numpy as np
from safetensors.numpy import save_file
from scipy import linalg

HERE = pathlib.Path(__file__).resolve().parent


def frechet(a, b, ddof):
    root = linalg.sqrtm(np.cov(a, rowvar=False, ddof=ddof) @ np.cov(b, rowvar=False, ddof=ddof))
    offset = a.mean(0) - b.mean(0)
    return (offset @ offset + a.var(0, ddof=ddof).sum() + b.var(0, ddof=ddof).sum() - 2 * np.trace(root).real)


def frechet_low_rank(a, b, ddof):
    """The same where the product of covariances is singular: the root's trace by singular values of a0 b0ᵀ."""
    a0, b0 = a - a.mean(0), b - b.mean(0)
    cross = np.linalg.svd(a0 @ b0.T, compute_uv=False).sum() / np.sqrt((len(a) - ddof) * (len(b) - ddof))
    offset = a.mean(0) - b.mean(0)
    return offset @ offset + a.var(0, ddof=ddof).sum() + b.var(0, ddof=ddof).sum() - 2 * cross


def cubic(x, y):
    return (x @ y.T / x.shape[1] + 1) ** 3


def gaussian(x, y, sigma=10):
    return np.exp(-((x[:, None] - y[None]) ** 2).sum(-1) / (2 * sigma**2))


def unbiased_mmd2(a, b, kernel):
    within = [(k.sum() - np.trace(k)) / (len(k) * (len(k) - 1)) for k in (kernel(a, a), kernel(b, b))]
    return sum(within) - 2 * kernel(a, b).mean()


def biased_mmd2(a, b, kernel):
    return kernel(a, a).mean() + kernel(b, b).mean() - 2 * kernel(a, b).mean()


def distances(a, b):
    return np.sqrt(((a[:, None] - b[None]) ** 2).sum(-1))


def manifold(real, fake, k, is_closed):
    """Precision, recall, density, coverage."""
    inside = np.less_equal if is_closed else np.less
    real_radii = np.sort(distances(real, real), axis=1)[:, k]
    fake_radii = np.sort(distances(fake, fake), axis=1)[:, k]
    between = distances(real, fake)
    in_real = inside(between, real_radii[:, None])
    return np.array([
        in_real.any(0).mean(), inside(between, fake_radii[None]).any(1).mean(), in_real.sum(0).mean() / k,
        inside(between.min(1), real_radii).mean()])


def sets(rng):
    def rectified(count, width, shift):
        mixing = np.random.default_rng(width).standard_normal((width, width))
        return np.maximum(rng.standard_normal((count, width)) @ mixing * 0.5 + shift, 0).astype(np.float32)

    dead = [rectified(60, 8, s) for s in (0.3, 0.5)]
    for x in dead:
        x[:, [2, 5]] = 0
    return {
        "wide": (rectified(20, 32, 0.2), rectified(25, 32, 0.4)),
        "tall": (rectified(300, 12, 0.2), rectified(280, 12, 0.5)),
        "dead": tuple(dead),
    }


def main():
    out = {}
    for name, (a, b) in sets(np.random.default_rng(11)).items():
        out[f"{name}.a"], out[f"{name}.b"] = a, b
        a, b = a.astype(np.float64), b.astype(np.float64)
        distance = frechet if name == "tall" else frechet_low_rank
        values = {
            "fid": distance(a, b, 1), "fid_n": distance(a, b, 0), "kid_full": unbiased_mmd2(a, b, cubic),
            "cmmd": biased_mmd2(a, b, gaussian), "mean": a.mean(0), "covariance": np.cov(a, rowvar=False),
            "closed.3": manifold(a, b, 3, True), "open.5": manifold(a, b, 5, False)}
        out |= {f"{name}.{key}": np.asarray(value, np.float64) for key, value in values.items()}
    tall = [out[f"tall.{x}"].astype(np.float64) for x in "ab"]
    # Subsets 0, 1, 2: every third vector.
    out["tall.kid_subsets"] = np.array([unbiased_mmd2(tall[0][i:279:3], tall[1][i:279:3], cubic) for i in range(3)])
    save_file(out, HERE / "metrics" / "features.safetensors")


if __name__ == "__main__":
    main()
