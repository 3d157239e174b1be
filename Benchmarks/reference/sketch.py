# Sketch extraction of SkrGAN (Zhang et al., MICCAI 2019): Sobel, Gaussian low-pass, opening, closing.
# The paper publishes no parameters; these are Limn's defaults. The independent reference for Limn's own.
import numpy as np
from scipy import ndimage
from skimage import morphology

CROSS = ndimage.generate_binary_structure(2, 1)


def rescaled(x):
    """Minimum to 0, maximum to 1; a constant array to 0."""
    low, high = x.min(), x.max()
    return (x - low) / (high - low) if high > low else np.zeros_like(x)


def intensity(image, channel=None):
    """[H, W] of [H, W] or [H, W, 3]: luminance (0.299, 0.587, 0.114), or one channel (1 = green, for fundus)."""
    image = np.asarray(image, np.float64)
    if image.ndim == 2:
        return image
    return image @ np.array([0.299, 0.587, 0.114]) if channel is None else image[..., channel]


def edges(x):
    """Magnitude of the 3x3 Sobel gradient; the border reflects without repeating the edge (reflect-101)."""
    return np.hypot(ndimage.sobel(x, axis=0, mode="mirror"), ndimage.sobel(x, axis=1, mode="mirror"))


def low_pass(x, sigma):
    """5x5 Gaussian, normalised, reflect-101 border."""
    kernel = np.exp(-np.arange(-2, 3) ** 2 / (2 * sigma**2))
    kernel /= kernel.sum()
    return ndimage.convolve1d(ndimage.convolve1d(x, kernel, axis=0, mode="mirror"), kernel, axis=1, mode="mirror")


def opened_closed(x, method):
    """Grey opening, then closing, by the 3x3 cross; or by area (64 px, 4-neighbours), rescaled in between."""
    if method == "cross":
        return ndimage.grey_closing(ndimage.grey_opening(x, footprint=CROSS), footprint=CROSS)
    opened = rescaled(morphology.area_opening(x, 64, connectivity=1))
    return morphology.area_closing(opened, 64, connectivity=1)


def sketch(image, sigma=None, method="cross", channel=None, mask=None):
    """[H, W] or [H, W, 3] -> sketch [H, W] in [-1, 1]; -1 is no edge. sigma: 1 up to 256 px, 2 above.

    `mask` [H, W] (a fundus' field of view) clears the edges outside it before they are rescaled.
    """
    x = edges(intensity(image, channel))
    x = rescaled(x if mask is None else x * mask)
    sigma = sigma or (1.0 if max(x.shape) <= 256 else 2.0)
    return rescaled(opened_closed(low_pass(x, sigma), method)) * 2 - 1


if __name__ == "__main__":
    assert (sketch(np.full((32, 32), 7)) == -1).all()
    square = np.zeros((32, 32))
    square[8:24, 8:24] = 1
    for method in ("cross", "area64"):
        result = sketch(square, method=method)
        assert result.shape == (32, 32) and result.max() == 1 and result.min() == -1
    print("sketch: range and constant image hold")
