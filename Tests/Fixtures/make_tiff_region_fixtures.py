# Writes the TIFFs of imaging/regions/, in strips and tiles of every kind that are read in parts, and what tifffile
# (Pillow for JPEG's colours) makes of them: expected.safetensors.
#
#   python3 -m pip install numpy Pillow tifffile safetensors
#   python3 Tests/Fixtures/make_tiff_region_fixtures.py
import pathlib

import numpy as np
import tifffile
from PIL import Image
from safetensors.numpy import save_file

FOLDER = pathlib.Path(__file__).parent / "imaging" / "regions"
HEIGHT, WIDTH = 45, 39


def scene(rng, maximum, channels=1):
    """Smooth, so that predictors matter, with noise, so that no two rows are alike."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    waves = [np.sin(x / (5 + c) + 1) + np.cos(y / (7 + c)) for c in range(channels)]
    image = np.stack(waves, -1) / 4 + 0.5 + 0.04 * rng.standard_normal((HEIGHT, WIDTH, channels))
    return (np.clip(image, 0, 1) * maximum).squeeze()


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    gray8, gray16 = scene(rng, 255).astype(np.uint8), scene(rng, 65535).astype(np.uint16)
    rgb8, rgb16 = scene(rng, 255, 3).astype(np.uint8), scene(rng, 65535, 3).astype(np.uint16)
    floats = scene(rng, 100).astype(np.float32)
    deflate = {"compression": "zlib", "predictor": True, "metadata": None}
    tifffile.imwrite(FOLDER / "strips8.tif", gray8, rowsperstrip=7, **deflate)
    tifffile.imwrite(FOLDER / "plain16.tif", gray16, rowsperstrip=4, byteorder=">", metadata=None)
    tifffile.imwrite(FOLDER / "big.tif", gray16, rowsperstrip=16, bigtiff=True, **deflate)
    tifffile.imwrite(FOLDER / "one-strip.tif", rgb8, rowsperstrip=HEIGHT, photometric="rgb", **deflate)
    tifffile.imwrite(FOLDER / "tiles8.tif", gray8, tile=(32, 16), **deflate)
    tifffile.imwrite(FOLDER / "tiles16.tif", rgb16, tile=(16, 16), photometric="rgb", **deflate)
    alpha = np.concatenate([rgb8, 255 - rgb8[..., :1]], -1)
    tifffile.imwrite(FOLDER / "alpha.tif", alpha, rowsperstrip=8, photometric="rgb", extrasamples=["unassalpha"],
                     **deflate)
    planes = np.moveaxis(rgb8, -1, 0)
    tifffile.imwrite(FOLDER / "planes.tif", planes, rowsperstrip=6, photometric="rgb", planarconfig="separate",
                     **deflate)
    tifffile.imwrite(FOLDER / "float.tif", floats, tile=(16, 32), compression="zlib", metadata=None)
    tifffile.imwrite(FOLDER / "float-strips.tif", floats, rowsperstrip=5, metadata=None)
    tifffile.imwrite(FOLDER / "white.tif", gray8, rowsperstrip=9, photometric="miniswhite", **deflate)
    Image.fromarray(gray8).save(FOLDER / "lzw.tif", compression="tiff_lzw")
    Image.fromarray(rgb8).save(FOLDER / "jpeg.tif", compression="jpeg", quality=90)
    Image.fromarray(rgb8).convert("YCbCr").save(FOLDER / "ycbcr.tif", compression="jpeg", quality=90)
    pillows = {"lzw.tif", "jpeg.tif", "ycbcr.tif"}
    expected = {path.name: tifffile.imread(path) for path in FOLDER.glob("*.tif") if path.name not in pillows}
    expected["lzw.tif"] = gray8
    for name in ("jpeg.tif", "ycbcr.tif"):
        expected[name] = np.asarray(Image.open(FOLDER / name).convert("RGB"))
    expected["white.tif"] = 255 - gray8
    expected["alpha.tif"] = rgb8
    expected["planes.tif"] = rgb8
    channels_first = {name: np.ascontiguousarray(np.moveaxis(np.atleast_3d(image), -1, 0))
                      for name, image in expected.items()}
    save_file(channels_first, FOLDER / "expected.safetensors")


if __name__ == "__main__":
    main()
