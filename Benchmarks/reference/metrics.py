# MS-SSIM and sliced Wasserstein distance as PGGAN (Karras et al., ICLR 2018, Appendix A) defines them, in NumPy.
# Patch positions and directions are arguments, so that other implementations can be compared value by value.
import math

import numpy as np
from scipy import ndimage, signal

MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


# ---- MS-SSIM (Wang et al. 2003) ----

def gaussian_window(size, sigma):
    """Normalised [size, size] Gaussian, centred between the two middle samples when size is even."""
    x = np.arange(size) - (size - 1) / 2
    g = np.exp(-x**2 / (2 * sigma**2))
    g = np.outer(g, g)
    return g / g.sum()


def ssim_terms(a, b, peak=255.0, size=11, sigma=1.5, k1=0.01, k2=0.03):
    """SSIM and its contrast-structure term of images [N, C, H, W]: two arrays [N], means over C, H, W.

    Valid windows only. An image smaller than the window shrinks it, and sigma in proportion.
    """
    shrunk = min(size, *a.shape[2:])
    window = gaussian_window(shrunk, sigma * shrunk / size)[None, None]

    def blur(x):
        return signal.convolve(x, window, mode="valid", method="direct")

    c1, c2 = (k1 * peak) ** 2, (k2 * peak) ** 2
    mean_a, mean_b = blur(a), blur(b)
    var_a, var_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    covariance = blur(a * b) - mean_a * mean_b
    cs = (2 * covariance + c2) / (var_a + var_b + c2)
    luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
    return (luminance * cs).mean(axis=(1, 2, 3)), cs.mean(axis=(1, 2, 3))


def box_half(x):
    return (x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]) / 4


def ms_ssim_per_pair(a, b):
    """MS-SSIM of image pairs in 0...255, [N, C, H, W] with H and W divisible by 16 -> [N].

    Contrast-structure at the first four scales, full SSIM at the fifth, each clipped at 0 per image.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    result = np.ones(len(a))
    for scale, weight in enumerate(MS_SSIM_WEIGHTS):
        ssim, cs = ssim_terms(a, b)
        term = ssim if scale == len(MS_SSIM_WEIGHTS) - 1 else cs
        result *= np.clip(term, 0, None) ** weight
        if scale < len(MS_SSIM_WEIGHTS) - 1:
            a, b = box_half(a), box_half(b)
    return result


def ms_ssim_of_set(images):
    """Diversity: mean MS-SSIM of the consecutive pairs (0, 1), (2, 3), ... of one set of images."""
    images = images[: len(images) // 2 * 2]
    return ms_ssim_per_pair(images[0::2], images[1::2]).mean()


# ---- Sliced Wasserstein distance on a Laplacian pyramid ----

BINOMIAL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256.0


def blur5(x, gain=1.0):
    return ndimage.convolve(x, gain * BINOMIAL[None, None], mode="mirror")


def pyramid_down(x):
    return blur5(x)[..., ::2, ::2]


def pyramid_up(x):
    up = np.zeros((*x.shape[:2], x.shape[2] * 2, x.shape[3] * 2), x.dtype)
    up[..., ::2, ::2] = x
    return blur5(up, 4.0)


def laplacian_pyramid(images, smallest=16):
    """[N, C, S, S] -> levels of sizes S, S/2, ..., not below `smallest`; the last is the low-pass residual."""
    levels = [np.asarray(images, np.float64)]
    while levels[-1].shape[-1] // 2 >= smallest:
        levels.append(pyramid_down(levels[-1]))
        levels[-2] = levels[-2] - pyramid_up(levels[-1])
    return levels


def descriptors(level, positions, size=7):
    """Patches [N, P, C, 7, 7] of a level [N, C, S, S] about integer centres [N, P, 2] = (row, column)."""
    half = size // 2
    return np.stack([
        np.stack([image[:, y - half:y + half + 1, x - half:x + half + 1] for y, x in centres])
        for image, centres in zip(level, positions)])


def normalized(patches):
    """Zero mean, unit (population) deviation per channel over all patches; [N, P, C, 7, 7] -> [N*P, C*49]."""
    patches = patches.reshape(-1, *patches.shape[2:])
    # Sums of millions of float32 patches are made in float64.
    moments = {"axis": (0, 2, 3), "keepdims": True, "dtype": np.float64}
    patches = patches - patches.mean(**moments).astype(patches.dtype)
    patches = patches / patches.std(**moments).astype(patches.dtype)
    return patches.reshape(len(patches), -1)


def sliced_wasserstein(a, b, directions):
    """Mean over unit directions [D, F] of the mean |sorted difference| of the projections of [M, F] sets."""
    return np.abs(np.sort(a @ directions.T, axis=0) - np.sort(b @ directions.T, axis=0)).mean()


def swd_levels(reals, fakes, real_positions, fake_positions, directions):
    """SWD x 1e3 per pyramid level, largest first; equal numbers of reals and fakes, RGB (grey is tiled by 3).

    Positions: a list with one [N, P, 2] array for each level. Directions: [R, D, 147] unit vectors in the
    order (channel, row, column); R repeats are averaged. The reported value is the mean over the levels.
    """
    def tiled(x):
        return np.repeat(x, 3, axis=1) if x.shape[1] == 1 else x

    flat = directions.reshape(-1, directions.shape[-1])
    pyramids = zip(laplacian_pyramid(tiled(reals)), laplacian_pyramid(tiled(fakes)), real_positions, fake_positions)
    return [
        1e3 * sliced_wasserstein(normalized(descriptors(r, rp)), normalized(descriptors(f, fp)), flat)
        for r, f, rp, fp in pyramids]


def random_positions(rng, count, patches, size, margin=3):
    """Uniform centres [count, patches, 2], at least `margin` from every border."""
    return rng.integers(margin, size - margin, (count, patches, 2))


def random_directions(rng, repeats=4, count=128, features=147):
    x = rng.standard_normal((repeats, count, features))
    return x / np.sqrt((x**2).sum(axis=-1, keepdims=True))


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (4, 1, 192, 192))
    assert np.allclose(ms_ssim_per_pair(images, images), 1)
    assert math.isclose(gaussian_window(11, 1.5).sum(), 1)
    levels = laplacian_pyramid(images)
    assert [x.shape[-1] for x in levels] == [192, 96, 48, 24]
    rebuilt = levels[-1]
    for detail in levels[-2::-1]:
        rebuilt = pyramid_up(rebuilt) + detail
    assert np.allclose(rebuilt, images)
    positions = [random_positions(rng, 4, 16, s) for s in (64, 32, 16)]
    small = images[..., :64, :64]
    assert max(swd_levels(small, small, positions, positions, random_directions(rng))) == 0
    print("metrics: identities hold")
