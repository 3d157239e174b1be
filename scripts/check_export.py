"""What scripts/check-export runs: makes a dataset, exports it in every format, reads everything back."""
import argparse
import hashlib
import io
import json
import pathlib
import shutil
import struct
import subprocess
import tarfile
import tempfile

import nibabel
import numpy as np
import pydicom
import tifffile
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEIGHT, WIDTH = 40, 56
CLASSES = [{"name": "organ", "value": 1, "parts": [{"name": "lesion – ä", "value": 2}, {"name": "vessel", "value": 3}]}]


def affine():
    """An oblique placement without any symmetry: columns, rows, slices."""
    def turn(angle, axis):
        a, b = [i for i in range(3) if i != axis]
        matrix = np.eye(3)
        matrix[a, a] = matrix[b, b] = np.cos(angle)
        matrix[a, b], matrix[b, a] = -np.sin(angle), np.sin(angle)
        return matrix
    matrix = np.eye(4)
    matrix[:3, :3] = turn(0.3, 0) @ turn(-0.2, 1) @ turn(0.5, 2) @ np.diag([-0.7, -0.9, 2.5])
    matrix[:3, 3] = [12.5, -33.25, 71.125]
    return matrix


def labels(rng):
    """Shapes with holes, corners that touch, single pixels, objects at the border."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    out = np.zeros((HEIGHT, WIDTH), np.uint8)
    out[(y - 18) ** 2 + (x - 25) ** 2 < 150] = 1
    out[(y - 17) ** 2 + (x - 24) ** 2 < 20] = 0
    out[(y - 17) ** 2 + (x - 24) ** 2 < 4] = 2
    out[rng.random(out.shape) < 0.08] = 3
    out[30:, 40:] = 2
    out[35, 50] = 0
    return out


def dataset(folder, bits, channels, synthetic):
    """Two patients with five slices each, every second one of a volume's, and one slice missing; a picture."""
    rng = np.random.default_rng(bits + channels)
    place, items, index = affine(), [], 0
    for patient, split in [("patient-a", "train"), ("patient-b", "test")]:
        for number in [1, 3, 5, 9, 11]:
            shifted = place.copy()
            shifted[:3, 3] += place[:3, 2] * number + (7 if split == "test" else 0)
            items.append({"id": f"{index:06d}", "patient": patient, "source": "series-1", "slice": number,
                          "split": split, "spacing": [0.9, 0.7], "affine": shifted[:3].ravel().tolist(),
                          "date": "2019-03-07"})
            index += 1
    items.append({"id": f"{index:06d}", "patient": "patient-c", "source": "c.png", "split": "train",
                  "spacing": [0.5, 0.25]})
    count, top = len(items), 2 ** bits - 1
    dtype = np.uint8 if bits == 8 else np.uint16
    maps = np.stack([labels(rng) for _ in items])
    objects = np.where(maps > 0, 1 + np.arange(WIDTH)[None, None] // 14 + 300 * (maps == 3), 0).astype(np.uint16)
    layers = {
        "images": rng.integers(0, top + 1, (count, channels, HEIGHT, WIDTH)).astype(dtype),
        "labels": maps,
        "sketches": rng.integers(0, top + 1, (count, 1, HEIGHT, WIDTH)).astype(dtype),
    }
    if synthetic:
        layers["instances"] = objects
    folder.mkdir()
    records = []
    for name, array in layers.items():
        kind = {"uint8": "U8", "uint16": "U16"}[str(array.dtype)]
        header = json.dumps({name: {"dtype": kind, "shape": array.shape, "data_offsets": [0, array.nbytes]}}).encode()
        header += b" " * (4088 - len(header))
        (folder / f"{name}.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + array.tobytes())
        records.append({"name": name, "type": str(array.dtype), "shape": list(array.shape),
                        "sha256": hashlib.sha256(array.tobytes()).hexdigest()})
    lines = "".join(f"{r['name']} {r['type']} {'x'.join(map(str, r['shape']))} {r['sha256']}\n"
                    for r in sorted(records, key=lambda r: r["name"]))
    splits = {s: {"items": sum(i["split"] == s for i in items),
                  "patients": len({i["patient"] for i in items if i["split"] == s})} for s in ["train", "test"]}
    (folder / "dataset.json").write_text(json.dumps({
        "formatVersion": 1, "name": "probe", "modality": "MR", "count": count, "channels": channels,
        "height": HEIGHT, "width": WIDTH, "bitDepth": bits, "classes": CLASSES, "synthetic": synthetic,
        "provenance": {"sources": 3, "tool": "check-export", "options": [], "date": "2026-01-01T00:00:00Z"},
        "contentHash": hashlib.sha256(lines.encode()).hexdigest(), "layers": records, "splits": splits,
        "items": items}))
    return items, layers


class Check:
    def __init__(self, limn, folder, bits, channels, synthetic):
        self.limn, self.folder, self.synthetic = limn, folder / f"{bits}-{channels}-{synthetic}", synthetic
        self.folder.mkdir()
        self.bits, self.channels = bits, channels
        self.items, self.layers = dataset(self.folder / "set", bits, channels, synthetic)
        self.split = [i["split"] for i in self.items]
        self.warnings = set()

    def export(self, kind, *options):
        out = self.folder / kind
        subprocess.run([self.limn, "export", self.folder / "set", "--as", kind, "--out", out, *options],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        index = json.loads((out / "export.json").read_text())
        assert index["synthetic"] == self.synthetic and len(index["items"]) == len(self.items)
        files = {f for r in index["records"] for f in r["files"]}
        found = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()} - {"export.json"}
        assert files == found, files ^ found
        return out

    def stored(self, layer, index):
        """As pictures hold it: [H, W] or [H, W, 3]."""
        array = self.layers[layer][index]
        return array if array.ndim == 2 else array[0] if len(array) == 1 else array.transpose(1, 2, 0)

    def equals(self, picture, layer, index):
        array = np.asarray(picture)
        expected = self.stored(layer, index)
        assert array.shape == expected.shape and (array == expected).all(), (layer, index, array.shape, array.dtype)

    def png(self, data, layer, index):
        picture = Image.open(io.BytesIO(data))
        picture.load()
        assert ("Synthetic" in picture.text) == self.synthetic, picture.text
        if layer == "labels":
            assert picture.mode == "P" and len({tuple(picture.getpalette()[3 * i:3 * i + 3]) for i in range(4)}) == 4
        if picture.mode == "RGB" and self.bits == 16:
            return  # Pillow reads 8 bits of it; limn's own tests compare all 16
        self.equals(picture, layer, index)

    def run_png(self):
        out = self.export("png")
        for i, item in enumerate(self.items):
            for layer in self.layers:
                self.png((out / self.split[i] / layer / f"{item['id']}.png").read_bytes(), layer, i)

    def run_tiff(self):
        out = self.export("tiff")
        for i, item in enumerate(self.items):
            for layer in self.layers:
                with tifffile.TiffFile(out / self.split[i] / layer / f"{item['id']}.tif") as file:
                    self.equals(file.asarray(), layer, i)
                    assert ("SYNTHETIC" in file.pages[0].tags["ImageDescription"].value) == self.synthetic

    def run_nifti(self):
        out = self.export("nifti")
        for first, name in [(0, "train/{}/patient-a-1"), (5, "test/{}/patient-b-1")]:
            for layer in self.layers:
                image = nibabel.load(out / f"{name.format(layer)}.nii.gz")
                voxels = np.asarray(image.dataobj)
                voxels = voxels[..., None] if voxels.ndim == 3 else voxels
                assert ("SYNTHETIC" in str(image.header["descrip"])) == self.synthetic
                places = []
                for i in range(first, first + 5):
                    rows = np.array(self.items[i]["affine"]).reshape(3, 4)
                    place = np.linalg.inv(image.affine) @ np.append(rows[:, 3], 1)
                    assert np.abs(place[:2]).max() < 1e-3 and abs(place[2] - round(place[2])) < 1e-3, place
                    corner = image.affine @ [WIDTH, HEIGHT, round(place[2]), 1]
                    distance = np.abs(corner[:3] - rows @ [WIDTH, HEIGHT, 0, 1]).max()
                    assert distance < 1e-4, distance  # mm; NIfTI-1 keeps floats of 32 bits
                    stored = self.layers[layer][i]
                    stored = stored if stored.ndim == 3 else stored[None]
                    assert (voxels[:, :, round(place[2])] == stored.transpose(2, 1, 0)).all()
                    places.append(round(place[2]))
                assert places == [0, 1, 2, 4, 5] and not voxels[:, :, 3].any()
                assert np.allclose(image.get_qform(), image.affine, atol=1e-3)
        picture = nibabel.load(out / "train/images/patient-c-1.nii.gz")
        assert np.allclose(picture.header.get_zooms()[:3], [0.25, 0.5, 1])

    def run_dicom(self):
        out = self.export("dicom")
        uids, studies = set(), {}
        for path in sorted(out.rglob("*.dcm")):
            data = pydicom.dcmread(path)
            assert data.SOPInstanceUID not in uids
            uids.add(data.SOPInstanceUID)
            assert data.PatientID == data.PatientName.family_name and data.PatientID.startswith("patient-")
            assert data.PatientIdentityRemoved == "YES" and data.ImageType[0] == "DERIVED"
            assert ("SYNTHETIC" in data.SeriesDescription) == self.synthetic
            assert ("SYNTHETIC" in data.get("ImageComments", "")) == self.synthetic
            assert data.get("StudyDate") == ("20190307" if data.PatientID != "patient-c" else "")
            studies.setdefault(data.PatientID, set()).add(data.StudyInstanceUID)
            self.validate(path)
        assert all(len(s) == 1 for s in studies.values())
        for i, item in enumerate(self.items):
            folder = out / self.split[i] / f"{item['patient']}-1"
            for layer in ["images", "sketches"]:
                data = pydicom.dcmread(folder / layer / f"{item['id']}.dcm")
                self.equals(data.pixel_array, layer, i)
                if "affine" not in item:
                    assert list(data.PixelSpacing) == [0.5, 0.25] and "ImagePositionPatient" not in data
                    continue
                self.same_place(item, data.ImagePositionPatient, data.ImageOrientationPatient, data.PixelSpacing)
                assert float(data.SpacingBetweenSlices) == 5
        for layer in set(self.layers) & {"labels", "instances"}:
            for group, name in [(range(5), "train/patient-a-1"), (range(5, 10), "test/patient-b-1"),
                                (range(10, 11), "train/patient-c-1")]:
                self.segmentation(out / name, layer, group)

    def same_place(self, item, position, orientation, spacing):
        rows = np.array(item["affine"]).reshape(3, 4)
        orientation = np.array(orientation, float)
        columns = np.stack([orientation[:3] * spacing[1], orientation[3:] * spacing[0], np.array(position, float)], 1)
        columns[:2] *= -1
        assert np.abs(columns @ [WIDTH, HEIGHT, 1] - rows @ [WIDTH, HEIGHT, 0, 1]).max() < 1e-6

    def segmentation(self, folder, layer, group):
        data = pydicom.dcmread(folder / f"{layer}.dcm")
        frames = data.pixel_array.reshape(-1, HEIGHT, WIDTH)
        images = {pydicom.dcmread(p).SOPInstanceUID: p.stem for p in (folder / "images").glob("*.dcm")}
        first = pydicom.dcmread(next((folder / "images").glob("*.dcm")))
        assert data.StudyInstanceUID == first.StudyInstanceUID and data.get("FrameOfReferenceUID") == first.get(
            "FrameOfReferenceUID")
        assert data.ReferencedSeriesSequence[0].SeriesInstanceUID == first.SeriesInstanceUID
        values = {s.SegmentNumber: int(s.SegmentedPropertyTypeCodeSequence[0].CodeValue.split("-")[1])
                  for s in data.SegmentSequence}
        if layer == "labels":
            assert [s.SegmentLabel for s in data.SegmentSequence] == ["organ", "lesion – ä", "vessel"]
        back = {self.items[i]["id"]: np.zeros((HEIGHT, WIDTH), int) for i in group}
        shared = data.SharedFunctionalGroupsSequence[0]
        for frame, info in zip(frames, data.PerFrameFunctionalGroupsSequence, strict=True):
            value = values[info.SegmentIdentificationSequence[0].ReferencedSegmentNumber]
            image = images[info.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID]
            back[image][frame > 0] = value
            item = next(i for i in self.items if i["id"] == image)
            if "affine" in item:
                self.same_place(item, info.PlanePositionSequence[0].ImagePositionPatient,
                                shared.PlaneOrientationSequence[0].ImageOrientationPatient,
                                shared.PixelMeasuresSequence[0].PixelSpacing)
        for i in group:
            assert (back[self.items[i]["id"]] == self.layers[layer][i]).all()

    def validate(self, path):
        if not shutil.which("dciodvfy"):
            return
        result = subprocess.run(["dciodvfy", path], capture_output=True, text=True)
        lines = [line for line in (result.stdout + result.stderr).splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("Error")]
        assert not errors, (path, errors)
        self.warnings |= {line for line in lines if line.startswith("Warning")}

    def object_masks(self, i):
        """Expected masks by (class, instance) where there are instances."""
        maps, objects = self.layers["labels"][i], self.layers["instances"][i]
        result = {}
        for value in np.unique(objects[objects > 0]):
            mask = objects == value
            counts = np.bincount(maps[mask])
            counts[0] = 0
            result[int(value)] = (int(counts.argmax()), mask)
        return result

    def run_coco(self):
        out = self.export("coco")
        for split in ["train", "test"]:
            data = json.loads((out / "annotations" / f"instances_{split}.json").read_text())
            assert data["info"]["synthetic"] == self.synthetic
            names = {c["id"]: (c["name"], c["supercategory"]) for c in data["categories"]}
            assert names == {1: ("organ", "organ"), 2: ("lesion – ä", "organ"), 3: ("vessel", "organ")}
            kinds = set()
            for image in data["images"]:
                i = next(k for k, item in enumerate(self.items) if f"{item['id']}.png" == image["file_name"])
                assert self.split[i] == split
                self.png((out / split / image["file_name"]).read_bytes(), "images", i)
                back = np.zeros((HEIGHT, WIDTH), int)
                found = [a for a in data["annotations"] if a["image_id"] == image["id"]]
                for a in found:
                    kinds.add(type(a["segmentation"]))
                    mask = decode(a["segmentation"])
                    rows, columns = np.nonzero(mask)
                    box = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
                    assert a["area"] == mask.sum() and a["bbox"] == box and not a["iscrowd"]
                    if self.synthetic:
                        continue
                    assert not back[mask].any()
                    back[mask] = a["category_id"]
                if self.synthetic:
                    expected = [(c, m.tobytes()) for c, m in self.object_masks(i).values()]
                    got = [(a["category_id"], decode(a["segmentation"]).tobytes()) for a in found]
                    assert sorted(got) == sorted(expected)
                else:
                    assert (back == self.layers["labels"][i]).all()
            assert kinds == {list, dict}

    def run_labelme(self):
        out = self.export("labelme")
        names = {"organ": 1, "lesion – ä": 2, "vessel": 3}
        for i, item in enumerate(self.items):
            data = json.loads((out / self.split[i] / f"{item['id']}.json").read_text())
            assert (data["imageHeight"], data["imageWidth"]) == (HEIGHT, WIDTH) and data["imageData"] is None
            assert data["flags"] == {"synthetic": self.synthetic}
            self.png((out / self.split[i] / data["imagePath"]).read_bytes(), "images", i)
            back = np.zeros((HEIGHT, WIDTH), int)
            for shape in data["shapes"]:
                mask = fill([shape["points"]])
                back[mask] = shape["group_id"] if self.synthetic else names[shape["label"]]
            assert (back == self.layers["instances" if self.synthetic else "labels"][i]).all()

    def run_webdataset(self):
        out = self.export("webdataset", "--shard-size", "4")
        shards = sorted(str(p.relative_to(out)) for p in out.rglob("*.tar"))
        assert shards == ["test/test-000000.tar", "test/test-000001.tar", "train/train-000000.tar",
                          "train/train-000001.tar"], shards
        seen = []
        for shard in shards:
            with tarfile.open(out / shard) as tar:
                for member in tar:
                    data = tar.extractfile(member).read()
                    key, ending = member.name.split(".", 1)
                    i = next(k for k, item in enumerate(self.items) if item["id"] == key)
                    if ending == "json":
                        told = json.loads(data)
                        assert told["item"]["patient"] == self.items[i]["patient"]
                        assert told["synthetic"] == self.synthetic
                        seen.append(i)
                        continue
                    layer = {"png": "images", "label.png": "labels"}.get(ending, ending.removesuffix(".png"))
                    self.png(data, layer, i)
        assert sorted(seen) == list(range(len(self.items)))


def fill(polygons):
    """Pixels whose centres are inside, by the even-odd rule."""
    inside = np.zeros((HEIGHT, WIDTH), bool)
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    for points in polygons:
        for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1]):
            if y0 != y1:
                crosses = (y > min(y0, y1)) & (y < max(y0, y1))
                inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return inside


def decode(segmentation):
    if isinstance(segmentation, list):
        polygons = [list(zip(p[::2], p[1::2])) for p in segmentation]
        return fill(polygons)
    counts = segmentation["counts"]
    values = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return values.reshape(segmentation["size"][::-1]).T


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--limn", default=ROOT / ".build/release/limn")
    parser.add_argument("--keep", type=pathlib.Path, help="a new folder for what is exported")
    arguments = parser.parse_args()
    limn = pathlib.Path(arguments.limn).resolve()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or pathlib.Path(temporary)
        folder.mkdir(exist_ok=True)
        for bits, channels, synthetic in [(8, 1, False), (16, 1, True), (8, 3, True)]:
            check = Check(limn, folder, bits, channels, synthetic)
            for kind in ["png", "tiff", "nifti", "dicom", "coco", "labelme", "webdataset"]:
                getattr(check, f"run_{kind}")()
                print(f"{kind}: {bits} bit, {channels} channel(s), {'synthetic' if synthetic else 'real'}: equal")
            for warning in sorted(check.warnings):
                print(f"  dciodvfy: {warning}")
    if not shutil.which("dciodvfy"):
        print("dciodvfy is not installed (Debian's dicom3tools): the DICOM files were read, not validated")


main()
