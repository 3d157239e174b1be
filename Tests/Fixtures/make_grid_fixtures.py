# Writes imaging/grid.safetensors: one volume's intensities on the oblique grid of another, by nibabel (which has SciPy
# interpolate linearly), and where SciPy has none. Volumes are [z, y, x], as Limn holds them; affines are nibabel's.
# Written with NumPy 2.4, SciPy 1.17 and nibabel 5.4.
#
#   python3 -m pip install numpy scipy nibabel safetensors
#   python3 Tests/Fixtures/make_grid_fixtures.py
import pathlib

import nibabel
import numpy as np
from nibabel.processing import resample_from_to
from safetensors.numpy import save_file
from scipy import ndimage
from scipy.spatial.transform import Rotation

FOLDER = pathlib.Path(__file__).resolve().parent / "imaging"
rng = np.random.default_rng(20261122)


def affine(angles, spacing, origin):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * spacing
    matrix[:3, 3] = origin
    return matrix


moving = ndimage.gaussian_filter(rng.standard_normal((11, 14, 12)), 1.2)  # x, y, z
moving = (moving / np.abs(moving).max() * 900).astype(np.float32)
moving_affine = affine((10, -15, 20), (2.0, 1.8, 2.4), (-30.0, 12.0, 7.0))
fixed_shape = (13, 9, 10)
fixed_affine = affine((-8, 5, -25), (1.7, -1.6, 2.0), (-26.0, 40.0, 12.0))

places = np.linalg.inv(moving_affine) @ fixed_affine
voxels = np.stack(np.meshgrid(*map(np.arange, fixed_shape), indexing="ij")).reshape(3, -1)
position = (places[:3, :3] @ voxels + places[:3, 3:]).reshape(3, *fixed_shape)
last = np.array(moving.shape)[:, None, None, None] - 1
isInside = ((position >= -0.5) & (position <= last + 0.5)).all(axis=0)
isCore = ((position >= 0) & (position <= last)).all(axis=0)
expected = ndimage.map_coordinates(moving.astype(float), position, order=1, mode="nearest")
theirs = resample_from_to(nibabel.Nifti1Image(moving.astype(float), moving_affine), (fixed_shape, fixed_affine), order=1)
assert np.abs(theirs.get_fdata() - expected)[isCore].max() < 1e-9
assert 0.3 < isCore.mean() < isInside.mean() < 0.95

path = FOLDER / "grid.safetensors"
save_file({
    "moving": np.ascontiguousarray(moving.T), "moving.affine": moving_affine, "fixed.affine": fixed_affine,
    "expected": np.ascontiguousarray(expected.T.astype(np.float32)),
    "isInside": np.ascontiguousarray(isInside.T.astype(np.uint8)),
}, path)
path.chmod(0o644)
