# Writes metrics/{ms_ssim,swd}.safetensors from Benchmarks/reference/metrics.py (float64, stored as float64).
# One compact set of images serves all: `a` and `b` [5, 64, 64] uint8 are grey; b[i] is a[i] after one distortion.
#   64 px, grey:  the pairs (a[i], b[i]).
#   192 px, grey: the same pairs with every pixel repeated 3 x 3.
#   "set.192":    the seven images a[0], b[0], a[1], b[1], a[2], b[2], a[3] at 192 px, of which the last has no partner.
#   64 px, RGB:   real[i] = (a[i], a[i+1], b[i]) and fake[i] = (b[i], b[i+2], a[i+3]), indices modulo 5, i < 4.
import pathlib
import sys

import numpy as np
from safetensors.numpy import save_file
from scipy import ndimage

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "Benchmarks" / "reference"))

import metrics  # noqa: E402


def grey_images(rng):
    smooth = ndimage.gaussian_filter(rng.standard_normal((5, 64, 64)), (0, 1.5, 1.5))
    smooth = 128 + 40 * smooth / smooth.std()
    a = np.clip(np.round(smooth), 0, 255)
    b = np.stack([
        a[0] + rng.normal(0, 10, a[0].shape),           # noise
        0.6 * ndimage.gaussian_filter(a[1], 1.0) + 70,  # blur, contrast and brightness
        np.roll(a[2], (1, 2), (0, 1)),                  # shift
        (a[3] + rng.permutation(a[3].reshape(-1)).reshape(64, 64)) / 2,  # half replaced by white noise
        255 - a[4],                                     # negative: the covariance, and so the clip, is below 0
    ])
    return a.astype(np.uint8), np.clip(np.round(b), 0, 255).astype(np.uint8)


def rgb_images(a, b):
    real = np.stack([np.stack([a[i], a[(i + 1) % 5], b[i]]) for i in range(4)])
    fake = np.stack([np.stack([b[i], b[(i + 2) % 5], a[(i + 3) % 5]]) for i in range(4)])
    return real, fake


def ms_ssim_fixture(a, b):
    real, fake = rgb_images(a, b)
    large_a, large_b = (np.kron(x, np.ones((3, 3)))[:, None] for x in (a, b))
    mixed = np.stack([large_a, large_b], axis=1).reshape(-1, 1, 192, 192)[:7]
    ssim, cs = metrics.ssim_terms(a[:, None].astype(float), b[:, None].astype(float))
    return {
        "a": a, "b": b,
        "pairs.64": metrics.ms_ssim_per_pair(a[:, None], b[:, None]),
        "pairs.192": metrics.ms_ssim_per_pair(large_a, large_b),
        "pairs.rgb.64": metrics.ms_ssim_per_pair(real, fake),
        "set.192": np.array(metrics.ms_ssim_of_set(mixed)),
        "ssim.64": ssim, "contrast_structure.64": cs,
        "window.8": metrics.gaussian_window(8, 1.5 * 8 / 11),
    }


def swd_fixture(rng, a, b):
    real, fake = rgb_images(a, b)
    sizes, patches = (64, 32, 16), 16
    real_positions = [metrics.random_positions(rng, 4, patches, s) for s in sizes]
    fake_positions = [metrics.random_positions(rng, 4, patches, s) for s in sizes]
    directions = metrics.random_directions(rng, repeats=2, count=8).astype(np.float32)
    grey = metrics.swd_levels(a[:4, None], b[:4, None], real_positions, fake_positions, directions.astype(float))
    rgb = metrics.swd_levels(real, fake, real_positions, fake_positions, directions.astype(float))
    pyramid = metrics.laplacian_pyramid(real[:1])
    out = {"directions": directions, "swd.grey": np.array(grey), "swd.rgb": np.array(rgb)}
    for size, rp, fp, level in zip(sizes, real_positions, fake_positions, pyramid):
        out[f"real_positions.{size}"], out[f"fake_positions.{size}"] = rp.astype(np.uint8), fp.astype(np.uint8)
        out[f"laplacian.{size}"] = level[0, :, :5].astype(np.float32)
    return out


def main():
    rng = np.random.default_rng(5)
    folder = HERE / "metrics"
    folder.mkdir(exist_ok=True)
    a, b = grey_images(rng)
    save_file(ms_ssim_fixture(a, b), folder / "ms_ssim.safetensors")
    save_file(swd_fixture(rng, a, b), folder / "swd.safetensors")


if __name__ == "__main__":
    main()
