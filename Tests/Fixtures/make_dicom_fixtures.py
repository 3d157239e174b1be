# Writes the files of imaging/dicom and imaging/turned, and what pydicom, nibabel and NumPy make of them:
# imaging/dicom/expected.safetensors. The person in them is invented; no image has a symmetry.
#
#   python3 -m pip install numpy nibabel pydicom==3.0.2 pylibjpeg pylibjpeg-openjpeg pyjpegls Pillow safetensors
#   python3 Tests/Fixtures/make_dicom_fixtures.py
import io
import itertools
import pathlib
import shutil

import nibabel as nib
import numpy as np
from PIL import Image
from pydicom import dcmwrite, uid
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.fileset import FileSet
from pydicom.pixels import apply_color_lut, apply_modality_lut, pack_bits, pixel_array
from pydicom.sequence import Sequence
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).resolve().parent / "imaging"
FOLDER = HERE / "dicom"
rng = np.random.default_rng(3)
expected = {}
ROOT = "1.2.826.0.1.3680043.8.498.7."
FLIP = np.diag([-1.0, -1.0, 1.0])


def item(**elements):
    data = Dataset()
    for key, value in elements.items():
        setattr(data, key, value)
    return data


def dataset(name, shape, dtype, syntax=uid.ExplicitVRLittleEndian, sop=uid.SecondaryCaptureImageStorage, **elements):
    """An image of `shape` (Y, X) with samples of `dtype`, without pixels."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = sop, syntax
    meta.MediaStorageSOPInstanceUID = ROOT + "1." + str(sum(ord(c) * (i + 1) for i, c in enumerate(name)))
    ds = FileDataset(name, {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = sop, meta.MediaStorageSOPInstanceUID
    ds.PatientID, ds.PatientName, ds.StudyInstanceUID, ds.SeriesInstanceUID = "limn-7", "", ROOT + "2", ROOT + "3"
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "1", 1, 1
    ds.StudyDate, ds.StudyTime = "20010203", "0405"
    ds.Modality, ds.Rows, ds.Columns = "OT", *shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated = ds.BitsStored = 8 * np.dtype(dtype).itemsize
    ds.PixelRepresentation = int(np.dtype(dtype).kind == "i")
    for key, value in elements.items():
        setattr(ds, key, value)
    ds.HighBit = ds.BitsStored - 1
    return ds


def save(name, ds, pixels=None, representation=None):
    if pixels is not None:
        ds.PixelData = pixels if isinstance(pixels, bytes) else pixels.tobytes()
        ds["PixelData"].VR = representation or ("OW" if ds.BitsAllocated > 8 else "OB")
    (FOLDER / name).parent.mkdir(parents=True, exist_ok=True)
    if ds.file_meta.TransferSyntaxUID == uid.ExplicitVRBigEndian:
        dcmwrite(FOLDER / name, ds, implicit_vr=False, little_endian=False)
    else:
        ds.save_as(FOLDER / name)


def expect(name, array):
    """[C, Z, Y, X] from [Y, X], [Y, X, C] (three samples) or [Z, Y, X]."""
    colour = array.shape[-1] == 3 and array.ndim > 2
    array = np.moveaxis(array, -1, 0) if colour else array[None]
    expected[name] = np.ascontiguousarray(array if array.ndim == 4 else array[:, None])


def noise(shape, top, dtype):
    return rng.integers(0, top, shape).astype(dtype)


def depths():
    wide = noise((4, 5), 2**31 - 1, np.uint32)
    save("uint32.dcm", dataset("uint32", (4, 5), np.uint32), wide)
    expect("uint32.dcm", wide.astype(np.int32))
    dose = wide.astype(np.uint32) + np.uint32(2**31)
    save("dose.dcm", dataset("dose", (4, 5), np.uint32, RescaleSlope="1e-9", RescaleIntercept="0"), dose)
    expect("dose.dcm", (dose.astype(np.float64) * 1e-9).astype(np.float32))
    signed = noise((4, 5), 2**32, np.int64).astype(np.int64) - 2**31
    ds = dataset("int32", (4, 5), np.int32)
    table = item(LUTDescriptor=[60, 100, 16], LUTExplanation="bones", LUTData=b"\0" * 120)
    table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "OW"
    ds.VOILUTSequence = Sequence([table])
    save("int32.dcm", ds, signed.astype(np.int32))
    expect("int32.dcm", signed.astype(np.int32))
    small = noise((4, 5), 256, np.int64) - 128
    save("int8.dcm", dataset("int8", (4, 6), np.int8), np.pad(small, ((0, 0), (0, 1))).astype(np.int8))
    expect("int8.dcm", np.pad(small, ((0, 0), (0, 1))).astype(np.int16))
    for name, dtype, key in [("float.dcm", np.float32, "FloatPixelData"), ("double.dcm", np.float64, "DoubleFloatPixelData")]:
        real = rng.normal(size=(4, 5)).astype(dtype)
        ds = dataset(name, (4, 5), dtype)
        setattr(ds, key, real.tobytes())
        del ds.BitsStored, ds.HighBit, ds.PixelRepresentation
        save(name, ds)
        expect(name, real.astype(np.float32))
    bits = noise((3, 5, 3), 2, np.uint8)
    ds = dataset("bits", (5, 3), np.uint8, BitsAllocated=1, BitsStored=1, NumberOfFrames=3)
    save("bits.dcm", ds, pack_bits(bits))
    expected["bits.dcm"] = bits[None]
    twelve = noise((4, 5), 4096, np.uint16)
    ds = dataset("overlaid", (4, 5), np.uint16, BitsStored=12)
    save("overlaid.dcm", ds, twelve | (noise((4, 5), 16, np.uint16) << 12))
    expect("overlaid.dcm", twelve)


def colours():
    rgb = noise((4, 6, 3), 256, np.uint8)
    elements = {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 0}
    ds = dataset("rle8", (4, 6), np.uint8, **elements)
    ds.PixelData = rgb.tobytes()
    ds.compress(uid.RLELossless)
    save("rle8.dcm", ds)
    expect("rle8.dcm", rgb)
    deep = noise((4, 6, 3), 65536, np.uint16)
    ds = dataset("rle16", (4, 6), np.uint16, **elements)
    ds.PixelData = deep.tobytes()
    ds.compress(uid.RLELossless)
    save("rle16.dcm", ds)
    expect("rle16.dcm", deep)
    planes = np.moveaxis(deep, -1, 0)
    save("planes16.dcm", dataset("planes16", (4, 6), np.uint16, **elements | {"PlanarConfiguration": 1}), planes)
    expect("planes16.dcm", deep)
    ds = dataset("halved", (4, 6), np.uint8, **elements | {"PhotometricInterpretation": "YBR_FULL_422"})
    ybr = noise((4, 3, 4), 256, np.uint8)
    save("halved.dcm", ds, ybr)
    expect("halved.dcm", pixel_array(ds))
    for bits in (8, 16):
        ds = dataset(f"palette{bits}", (4, 6), np.uint8, PhotometricInterpretation="PALETTE COLOR")
        for colour in ("Red", "Green", "Blue"):
            setattr(ds, colour + "PaletteColorLookupTableDescriptor", [40, 5, bits])
            table = noise((40,), 2**bits, np.uint8 if bits == 8 else np.uint16)
            setattr(ds, colour + "PaletteColorLookupTableData", table.tobytes())
            ds[colour + "PaletteColorLookupTableDescriptor"].VR = "US"
            ds[colour + "PaletteColorLookupTableData"].VR = "OW"
        indices = noise((4, 6), 50, np.uint8)
        save(f"palette{bits}.dcm", ds, indices)
        expect(f"palette{bits}.dcm", apply_color_lut(indices, ds))
    segmented = dataset("segmented", (4, 6), np.uint8, PhotometricInterpretation="PALETTE COLOR")
    for colour, codes in zip(("Red", "Green", "Blue"), ([0, 2, 7, 900, 1, 6, 60000], [0, 8, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 9, 1, 7, 2])):
        setattr(segmented, colour + "PaletteColorLookupTableDescriptor", [8, 0, 16])
        setattr(segmented, "Segmented" + colour + "PaletteColorLookupTableData", np.array(codes, np.uint16).tobytes())
        segmented[colour + "PaletteColorLookupTableDescriptor"].VR = "US"
        segmented["Segmented" + colour + "PaletteColorLookupTableData"].VR = "OW"
    indices = noise((4, 6), 8, np.uint8)
    save("segmented.dcm", segmented, indices)
    expect("segmented.dcm", apply_color_lut(indices, segmented))


def syntaxes():
    gray = np.add.outer(np.arange(40) * 50, np.arange(33) * 7).astype(np.uint16) + noise((40, 33), 9, np.uint16)
    frames = np.stack([gray, gray[::-1] // 2])
    for name, syntax in [("rle.dcm", uid.RLELossless), ("jls.dcm", uid.JPEGLSLossless), ("j2k.dcm", uid.JPEG2000Lossless)]:
        ds = dataset(name, (40, 33), np.uint16, BitsStored=12, NumberOfFrames=2)
        ds.PixelData = frames.tobytes()
        ds.compress(syntax)
        save(name, ds)
        expected[name] = frames[None]
    for name, syntax in [("deflated.dcm", uid.DeflatedExplicitVRLittleEndian), ("implicit.dcm", uid.ImplicitVRLittleEndian)]:
        save(name, dataset(name, (40, 33), np.uint16, syntax, BitsStored=12), gray)
        expect(name, gray)
    big = dataset("big", (40, 33), np.uint16, uid.ExplicitVRBigEndian, BitsStored=12)
    save("big.dcm", big, gray.astype(">u2"))
    expect("big.dcm", gray)
    odd = noise((3, 3, 3), 256, np.uint8)
    ds = dataset("swapped", (3, 3), np.uint8, uid.ExplicitVRBigEndian, SamplesPerPixel=3, PlanarConfiguration=0,
                 PhotometricInterpretation="RGB")
    # Bytes in words of the other order: each pair changes places.
    save("swapped.dcm", ds, np.append(odd.ravel(), np.uint8(0)).view(">u2").astype("<u2").tobytes(), "OW")
    assert np.array_equal(pixel_array(FOLDER / "swapped.dcm"), odd)
    expect("swapped.dcm", odd)
    rgb = np.asarray(Image.fromarray(noise((2, 2, 3), 256, np.uint8)).resize((16, 16), Image.Resampling.BILINEAR))
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=95, subsampling=0)
    ds = dataset("jpeg", (16, 16), np.uint8, uid.JPEGBaseline8Bit, SamplesPerPixel=3, PlanarConfiguration=0,
                 PhotometricInterpretation="YBR_FULL")
    # One frame in two fragments.
    code = file.getvalue()
    half = len(code) // 4 * 2
    ds.PixelData = encapsulate([code[:half], code[half:]], has_bot=False)
    ds["PixelData"].is_undefined_length = True
    save("jpeg.dcm", ds)
    expect("jpeg.dcm", np.asarray(Image.open(io.BytesIO(code))))


def tables():
    stored = noise((4, 5), 60, np.uint8)
    ds = dataset("lut", (4, 5), np.uint8)
    table = item(ModalityLUTType="US", LUTDescriptor=[50, 4, 16], LUTData=noise((50,), 60000, np.uint16).tobytes())
    table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "OW"
    ds.ModalityLUTSequence = Sequence([table])
    ds.WindowCenter, ds.WindowWidth = [40, -600], [400, 1500]
    ds.WindowCenterWidthExplanation = ["SOFT", "LUNG"]
    ds.PixelPaddingValue = 3
    ds["PixelPaddingValue"].VR = "US"
    save("lut.dcm", ds, stored)
    expect("lut.dcm", apply_modality_lut(stored, ds).astype(np.int32))


def functional(position=None, **more):
    groups = Dataset()
    if position is not None:
        groups.PlanePositionSequence = [item(ImagePositionPatient=[float(v) for v in position])]
    for key, value in more.items():
        setattr(groups, key, [value])
    return groups


def enhanced():
    """Two times, three places, stored out of order, each frame with its own slope."""
    row, column = np.array([0.0, 0.8, 0.6]), np.array([-1.0, 0.0, 0.0])
    normal = np.cross(row, column)
    origin = np.array([12.5, -30.0, 7.25])
    order = [(1, 2), (0, 1), (0, 0), (1, 0), (0, 2), (1, 1)]
    ds = dataset("enhanced", (4, 5), np.uint16, sop=uid.EnhancedMRImageStorage, Modality="MR", NumberOfFrames=6)
    stored = noise((6, 4, 5), 4000, np.uint16)
    ds.SharedFunctionalGroupsSequence = [functional(
        PlaneOrientationSequence=item(ImageOrientationPatient=[*row, *column]),
        PixelMeasuresSequence=item(PixelSpacing=[1.5, 0.75], SliceThickness=4, SpacingBetweenSlices=5))]
    frames, values = [], np.zeros((2, 3, 4, 5), np.float32)
    for index, (time, place) in enumerate(order):
        slope = 0.5 + index
        content = item(TemporalPositionIndex=time + 1, InStackPositionNumber=place + 1)
        frames.append(functional(
            origin + 5 * place * normal, FrameContentSequence=content,
            PixelValueTransformationSequence=item(RescaleSlope=slope, RescaleIntercept=-3, RescaleType="US"),
            FrameVOILUTSequence=item(WindowCenter=100 + index, WindowWidth=50)))
        values[time, place] = stored[index] * np.float32(slope) - np.float32(3)
    ds.PerFrameFunctionalGroupsSequence = frames
    save("enhanced.dcm", ds, stored)
    expected["enhanced.dcm"] = values
    matrix = np.stack([row * 0.75, column * 1.5, normal * 5], 1)
    expected["enhanced.affine"] = nib.affines.from_matvec(FLIP @ matrix, FLIP @ origin)


def repeated():
    """Three places, two acquisitions, one object twice."""
    pixels = noise((2, 3, 4, 5), 3000, np.int16)
    for number in range(7):
        acquisition, place = divmod(min(number, 5), 3)
        ds = dataset(f"repeated{min(number, 5)}", (4, 5), np.int16, sop=uid.MRImageStorage, Modality="MR")
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = ROOT + f"4.{min(number, 5)}"
        ds.AcquisitionNumber, ds.InstanceNumber = acquisition + 1, 6 - min(number, 5)
        ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, 2 * place], [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing = [1, 1]
        save(f"repeated/{'dacebfg'[number]}", ds, pixels[acquisition, place])
    expected["repeated"] = pixels


def gap():
    """Slices at 0, 2, 4 and 10 mm."""
    for number, place in enumerate([0, 2, 4, 10]):
        ds = dataset(f"gap{number}", (4, 5), np.int16, sop=uid.CTImageStorage, Modality="CT")
        ds.ImagePositionPatient, ds.ImageOrientationPatient = [0, 0, place], [1, 0, 0, 0, 1, 0]
        ds.PixelSpacing, ds.InstanceNumber = [1, 1], 4 - number
        save(f"gap/{number}.dcm", ds, noise((4, 5), 3000, np.int16))


def cine():
    ds = dataset("cine", (4, 5), np.uint8, sop=uid.UltrasoundMultiFrameImageStorage, Modality="US", NumberOfFrames=3)
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [1, 2, 3], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness = [2, 1], 3
    frames = noise((3, 4, 5), 256, np.uint8)
    save("cine.dcm", ds, frames)
    expected["cine.dcm"] = frames[None]


def directory():
    medium = FileSet()
    for name in ("implicit.dcm", "uint32.dcm"):
        medium.add(FOLDER / name)
    shutil.rmtree(FOLDER / "medium", ignore_errors=True)
    medium.write(FOLDER / "medium")


def segmentation():
    """Two segments on four planes; plane 1 holds none, the segments overlap nowhere (binary) or compete."""
    labels = np.zeros((4, 5, 6), np.uint8)
    labels[0, 1:3, 2:5], labels[2, 0:2, 1], labels[3, 4, 5] = 1, 2, 1
    labels[3, 0, 0:3] = 2
    shares = {1: np.zeros((4, 5, 6), np.uint8), 2: np.zeros((4, 5, 6), np.uint8)}
    for segment in shares:
        shares[segment][labels == segment] = 200
        shares[segment][labels != segment] = 90
    for kind in ("BINARY", "FRACTIONAL"):
        places = [(s, z) for s in (1, 2) for z in (3, 0, 2) if kind == "FRACTIONAL" or (labels[z] == s).any()]
        ds = dataset("seg" + kind, (5, 6), np.uint8, sop=uid.SegmentationStorage, Modality="SEG")
        ds.SegmentationType, ds.NumberOfFrames = kind, len(places)
        ds.SegmentSequence = [item(SegmentNumber=1, SegmentLabel="liver"), item(SegmentNumber=2, SegmentLabel="lesion")]
        ds.SharedFunctionalGroupsSequence = [functional(
            PlaneOrientationSequence=item(ImageOrientationPatient=[1, 0, 0, 0, 0, -1]),
            PixelMeasuresSequence=item(PixelSpacing=[2, 1], SliceThickness=3, SpacingBetweenSlices=3))]
        ds.PerFrameFunctionalGroupsSequence = [functional(
            [10, 3 * z - 20, 30], SegmentIdentificationSequence=item(ReferencedSegmentNumber=s)) for s, z in places]
        if kind == "BINARY":
            ds.BitsAllocated, ds.BitsStored, ds.HighBit = 1, 1, 0
            save("binary.dcm", ds, pack_bits(np.stack([labels[z] == s for s, z in places]).astype(np.uint8)))
        else:
            ds.MaximumFractionalValue = 255
            ds.SegmentationFractionalType = "PROBABILITY"
            save("fractional.dcm", ds, np.stack([shares[s][z] for s, z in places]))
    expected["segmentation"] = labels[None]
    matrix = np.array([[1.0, 0, 0], [0, 0, 3], [0, -2, 0]])
    expected["segmentation.affine"] = nib.affines.from_matvec(FLIP @ matrix, FLIP @ np.array([10.0, -20, 30]))


def private():
    ds = dataset("private", (4, 5), np.uint8, sop=uid.UltrasoundImageStorage, Modality="US")
    ds.PatientName, ds.PatientBirthDate, ds.AccessionNumber = "Quill^Ada", "19330817", "ACC-55120"
    ds.InstitutionName, ds.ReferringPhysicianName = "Limnhaven Infirmary", "Thorne^Basil"
    ds.RequestAttributesSequence = [item(RequestedProcedureID="RQ-90210", ScheduledProcedureStepID="SPS-31337")]
    ds.BurnedInAnnotation, ds.ImageType = "YES", ["DERIVED", "SECONDARY"]
    ds.SequenceOfUltrasoundRegions = [item(RegionLocationMinX0=0)]
    save("private.dcm", ds, noise((4, 5), 256, np.uint8))


def turned():
    """The same volume in every order and direction of its axes: NIfTI 48, DICOM 24 (slices go along the normal)."""
    folder = HERE / "turned"
    folder.mkdir(exist_ok=True)
    cube = rng.permutation(24).reshape(2, 3, 4).astype(np.int16)  # R, A, S
    affine = nib.affines.from_matvec(np.diag([1.5, 2.0, 3.5]), [-20.5, 13.25, 7.75])
    image = nib.Nifti1Image(cube, affine)
    expected["turned"] = np.ascontiguousarray(cube.transpose(2, 1, 0)[None])
    expected["turned.affine"] = affine
    for order in itertools.permutations(["LR", "PA", "IS"]):
        for code in itertools.product(*order):
            ornt = nib.orientations.ornt_transform(nib.io_orientation(affine), nib.orientations.axcodes2ornt(code))
            other = image.as_reoriented(ornt)
            name = "".join(code)
            nib.save(other, folder / f"{name}.nii")
            loaded = nib.load(folder / f"{name}.nii")
            expected[f"turned.{name}.affine"] = loaded.affine
            if np.linalg.det(other.affine) > 0:
                turned_dicom(folder / f"{name}.dcm", np.asarray(other.dataobj), other.affine)


def turned_dicom(path, array, affine):
    lps = FLIP @ affine[:3]
    spacing = np.linalg.norm(lps[:, :3], axis=0)
    ds = dataset(path.name, (array.shape[1], array.shape[0]), np.int16, sop=uid.EnhancedMRImageStorage, Modality="MR",
                 NumberOfFrames=array.shape[2])
    ds.SharedFunctionalGroupsSequence = [functional(
        PlaneOrientationSequence=item(ImageOrientationPatient=[float(v) for v in [*lps[:, 0] / spacing[0], *lps[:, 1] / spacing[1]]]),
        PixelMeasuresSequence=item(PixelSpacing=[float(spacing[1]), float(spacing[0])], SliceThickness=1))]
    backwards = range(array.shape[2] - 1, -1, -1)
    ds.PerFrameFunctionalGroupsSequence = [functional([float(v) for v in lps[:, 3] + k * lps[:, 2]]) for k in backwards]
    ds.PixelData = np.stack([array[:, :, k].T for k in backwards]).tobytes()
    ds["PixelData"].VR = "OW"
    ds.save_as(path)


def pairs():
    cube = noise((3, 4, 2), 900, np.int16)
    image = nib.Nifti1Pair(cube, np.diag([2.0, 3.0, 4.0, 1.0]))
    nib.save(image, FOLDER / "pair.img")
    nib.save(image, FOLDER / "packed.img.gz")
    expected["pair"] = np.ascontiguousarray(cube.transpose(2, 1, 0)[None])
    nib.save(nib.AnalyzeImage(cube, np.eye(4)), FOLDER / "analyze.img")


if __name__ == "__main__":
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    for make in (depths, colours, syntaxes, tables, enhanced, repeated, directory, gap, cine, segmentation, private, turned, pairs):
        make()
    native = {name: np.ascontiguousarray(x) for name, x in expected.items()}
    save_file(native, FOLDER / "expected.safetensors")
