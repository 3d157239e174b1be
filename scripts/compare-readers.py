"""The reference side of compare-readers: lists files, reads them with pydicom and nibabel, compares.

Values are compared after rescaling, palettes applied, [C, Z, Y, X]; frames of a volume in the order of their
places along the normal. Geometry is compared as the map from voxels to millimetres, RAS+.
"""
import json
import pathlib
import sys
import warnings

import nibabel as nib
import numpy as np
import pydicom
import pydicom.config
from pydicom.pixels import apply_color_lut, apply_rescale, pixel_array
from safetensors.numpy import load_file

warnings.simplefilter("ignore")
SKIPPED = {".txt", ".json", ".dump", ".icc", ".gz", ".py", ".md"}


def roots():
    folders = [pathlib.Path(pydicom.__file__).parent / "data" / "test_files"]
    try:
        import data_store  # the package pydicom-data

        folders.append(pathlib.Path(data_store.__file__).parent / "data")
    except ImportError:
        pass
    folders.append(pathlib.Path(nib.__file__).parent / "tests" / "data")
    return folders


def listed():
    *dicom, nifti = roots()
    files = [p for root in dicom for p in sorted(root.rglob("*")) if p.is_file() and p.suffix not in SKIPPED]
    names = (".nii", ".nii.gz", ".hdr", ".dcm")
    return files + [p for p in sorted(nifti.iterdir()) if p.name.endswith(names)]


def short(path):
    for root in roots():
        if root in pathlib.Path(path).parents:
            return str(pathlib.Path(path).relative_to(root))
    return path


def group(frame, shared, sequence):
    for place in (frame, shared):
        if place is not None and sequence in place:
            return place[sequence].value[0]
    return None


def frame_facts(ds, index):
    """Position, orientation, spacing, slope and intercept of a frame."""
    shared = ds.SharedFunctionalGroupsSequence[0] if "SharedFunctionalGroupsSequence" in ds else None
    frames = ds.get("PerFrameFunctionalGroupsSequence")
    frame = frames[index] if frames is not None and index < len(frames) else None

    def fact(sequence, key):
        return (group(frame, shared, sequence) or ds).get(key)

    slope = fact("PixelValueTransformationSequence", "RescaleSlope")
    intercept = fact("PixelValueTransformationSequence", "RescaleIntercept")
    return {
        "position": fact("PlanePositionSequence", "ImagePositionPatient"),
        "orientation": fact("PlaneOrientationSequence", "ImageOrientationPatient"),
        "spacing": fact("PixelMeasuresSequence", "PixelSpacing"),
        "slope": 1.0 if slope is None else float(slope),
        "intercept": 0.0 if intercept is None else float(intercept),
    }


def dicom_values(ds):
    array = pixel_array(ds)
    frames = int(ds.get("NumberOfFrames") or 1)
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        array = apply_color_lut(array, ds)
    colour = array.ndim == (4 if frames > 1 else 3)
    array = array if frames > 1 else array[None]
    array = array if colour else array[..., None]
    facts = [frame_facts(ds, i) for i in range(frames)]
    if ds.PhotometricInterpretation != "PALETTE COLOR":
        if "ModalityLUTSequence" in ds:
            array = apply_rescale(array, ds)
        elif any(f["slope"] != 1 or f["intercept"] != 0 for f in facts):
            lines = np.array([[f["slope"], f["intercept"]] for f in facts]).reshape(frames, 2, 1, 1, 1)
            array = array.astype(np.float64) * lines[:, 0] + lines[:, 1]
    offsets = ds.get("GridFrameOffsetVector")
    if offsets is not None and len(offsets) == frames and frames > 1 and facts[0]["orientation"] is not None:
        o = np.array(facts[0]["orientation"], float)
        n = np.cross(o[:3], o[3:])
        start = np.array(facts[0]["position"], float)
        for f, offset in zip(facts, offsets):
            f["position"] = start + n * (float(offset) - float(offsets[0]))
    return np.moveaxis(array, -1, 0), facts


def dicom_geometry(facts):
    """The order of the frames and the affine; None where the file does not say or frames share a place."""
    if any(f["position"] is None or f["orientation"] is None or f["spacing"] is None for f in facts):
        return list(range(len(facts))), None
    orientation = np.array(facts[0]["orientation"], float)
    row, column = orientation[:3], orientation[3:]
    positions = np.array([list(map(float, f["position"])) for f in facts])
    heights = positions @ np.cross(row, column)
    if len({round(h, 3) for h in heights}) < len(heights):
        return list(range(len(facts))), None
    order = list(np.argsort(heights, kind="stable"))
    between, across = map(float, facts[0]["spacing"])
    columns = [row * across, column * between]
    if len(facts) > 1:
        columns.append((positions[order[-1]] - positions[order[0]]) / (len(facts) - 1))
    flip = np.array([-1.0, -1.0, 1.0])
    return order, [c * flip for c in columns] + [positions[order[0]] * flip]


def read_dicom(path):
    ds = pydicom.dcmread(path, force=True)
    if "Rows" not in ds:
        raise ValueError("no image")
    values, facts = dicom_values(ds)
    order, geometry = dicom_geometry(facts)
    return values[:, order], geometry


def read_nifti(path):
    image = nib.load(path)
    values = np.asanyarray(image.dataobj)
    values = values.reshape(values.shape[:3] + (-1,)).transpose(3, 2, 1, 0)
    affine = image.affine
    return values, [affine[:3, 0], affine[:3, 1], affine[:3, 2], affine[:3, 3]]


def reference(path):
    is_dicom = roots()[-1] not in pathlib.Path(path).parents or path.endswith(".dcm")
    return read_dicom(path) if is_dicom else read_nifti(path)


def pillow_gap(voxels, path):
    """How far another decoder is, to tell a wrong decoder from the freedom JPEG leaves its decoders."""
    try:
        array = pixel_array(pydicom.dcmread(path, force=True), decoding_plugin="pillow")
        array = array if array.ndim == 4 else array[None]
        return float(np.abs(np.moveaxis(array, -1, 0).astype(float) - voxels).max())
    except Exception:  # not lossy, or not Pillow's
        return None


def compared(line, out, path):
    values, geometry = reference(path)
    voxels = load_file(out / line["voxels"])["voxels"]
    if voxels.shape != values.shape:
        return f"differs: shape {list(voxels.shape)}, reference {list(values.shape)}"
    wide = values.astype(np.float64)
    gap = np.abs(voxels.astype(np.float64) - wide)
    worst = float(np.nanmax(gap)) if gap.size else 0.0
    scale = max(1.0, float(np.nanmax(np.abs(wide))))
    # float32 against float64 arithmetic.
    if worst > (2e-7 * scale if voxels.dtype == np.float32 else 0):
        other = pillow_gap(voxels, path)
        note = "" if other is None else f" (from Pillow's decoder by up to {other:g})"
        return f"differs: by up to {worst:g} in {np.mean(gap > 0):.2%} of the values{note}"
    affine = np.array(line["affine"]).reshape(4, 4)
    if geometry is not None:
        checked = [0, 1, 2, 3] if len(geometry) == 4 else [0, 1, 3]
        off = max(np.abs(affine[:3, c] - g).max() for c, g in zip(checked, geometry))
        if off > 1e-3:
            return f"differs: geometry by {off:g} mm"
        return "equal"
    return "equal (pixels; the file has no geometry)"


def verdict(lines, out, path):
    results = [l for l in lines if l["path"] == path]
    done = [l for l in results if "voxels" in l or "error" in l]
    reason = ""
    try:
        reference(path)
        readable = True
    except Exception as error:  # any reason of the reference is a refusal
        readable, reason = False, f"{type(error).__name__}: {error}".replace("\n", " ")[:90]
    if not done:
        return "crashed", "reference reads it" if readable else reason
    line = done[-1]
    if "error" in line:
        said = line["error"].split(": ", 1)[1]
        return ("refused by Limn" if readable else "refused by both"), said
    if not readable:
        return "read by Limn alone", reason
    result = compared(line, out, path)
    note = "; ".join(line.get("warnings") or [])
    return result.split(":")[0], (result.split(": ", 1)[1] if ": " in result else note)


def table(files, out):
    lines = [json.loads(l) for l in (out / "results.jsonl").read_text().splitlines()]
    counts = {}
    for path in files:
        kind, detail = verdict(lines, out, path)
        counts[kind] = counts.get(kind, 0) + 1
        print(f"{kind:28} {short(path):48} {detail}")
    print("\n" + ", ".join(f"{kind}: {count}" for kind, count in sorted(counts.items())))


if __name__ == "__main__":
    if sys.argv[1] == "list":
        print("\n".join(map(str, listed())))
    elif sys.argv[1] == "rest":
        seen = {json.loads(l)["path"] for l in open(sys.argv[3])}
        print("".join(f + "\n" for f in open(sys.argv[2]).read().split("\n") if f and f not in seen), end="")
    else:
        table([f for f in open(sys.argv[2]).read().split("\n") if f], pathlib.Path(sys.argv[3]))
