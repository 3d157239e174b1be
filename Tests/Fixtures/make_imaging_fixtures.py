# Writes the files of imaging/ and what independent readers and filters (Pillow, tifffile, nibabel, pydicom, SciPy,
# scikit-image, NumPy) make of them: expected.safetensors. No image has a symmetry that could hide a mistake.
#
#   python3 -m pip install numpy scipy scikit-image nibabel pydicom Pillow tifffile safetensors
#   python3 Tests/Fixtures/make_imaging_fixtures.py
import itertools
import pathlib
import struct
import zlib

import nibabel as nib
import numpy as np
import pydicom
import tifffile
from PIL import Image, ImageOps
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRBigEndian, ExplicitVRLittleEndian, SecondaryCaptureImageStorage
from safetensors.numpy import save_file
from scipy import ndimage
from skimage import morphology

FOLDER = pathlib.Path(__file__).resolve().parent / "imaging"
rng = np.random.default_rng(20240611)
expected = {}


def scene(height, width, top, channels=None):
    """A ramp with noise: every row, column and corner differs."""
    shape = (height, width) if channels is None else (height, width, channels)
    ramp = np.add.outer(np.arange(height) * 1.0, np.arange(width) * 0.5)
    ramp = ramp if channels is None else ramp[..., None] * np.arange(1, channels + 1)
    values = ramp + rng.random(shape) * ramp.max() * 0.3
    return np.round(values / values.max() * top)


def picture(name, array):
    """Expected pixels of a file, [C, Z, Y, X], from [Y, X] or [Y, X, C]."""
    array = array[..., None] if array.ndim == 2 else array
    expected[name] = np.ascontiguousarray(np.moveaxis(array, -1, 0)[:, None])


def pngs():
    gray8 = scene(7, 11, 255).astype(np.uint8)
    Image.fromarray(gray8).save(FOLDER / "gray8.png")
    picture("gray8.png", gray8)
    gray16 = scene(9, 6, 65535).astype(np.uint16)
    Image.fromarray(gray16).save(FOLDER / "gray16.png")
    picture("gray16.png", gray16)
    rgb = scene(8, 5, 255, 3).astype(np.uint8)
    Image.fromarray(rgb).save(FOLDER / "rgb8.png")
    picture("rgb8.png", rgb)
    Image.fromarray(np.dstack([rgb, gray8[:1, :5].repeat(8, 0)])).save(FOLDER / "rgba8.png")
    picture("rgba8.png", rgb)
    palette = Image.fromarray(rgb).quantize(12)
    palette.save(FOLDER / "palette.png")
    picture("palette.png", np.asarray(palette.convert("RGB")))
    bits = gray8 > 120
    Image.fromarray(bits).save(FOLDER / "bits.png")
    picture("bits.png", bits.astype(np.uint8) * 255)


def jpegs():
    gray = ndimage.zoom(scene(4, 5, 255), 4, order=1).astype(np.uint8)
    Image.fromarray(gray).save(FOLDER / "gray.jpg", quality=90)
    picture("gray.jpg", np.asarray(Image.open(FOLDER / "gray.jpg")))
    rgb = ndimage.zoom(scene(4, 5, 255, 3), (3, 4, 1), order=1).astype(np.uint8)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = FOLDER / f"exif{orientation}.jpg"
        Image.fromarray(rgb).save(path, quality=80, exif=exif)
        picture(path.name, np.asarray(ImageOps.exif_transpose(Image.open(path))))


def tiffs():
    def save(name, array, result=None, **options):
        tifffile.imwrite(FOLDER / name, array, metadata=None, **options)
        picture(name, array if result is None else result)

    gray16 = scene(9, 6, 65535).astype(np.uint16)
    save("gray16.tif", gray16, byteorder=">")
    save("float.tif", scene(20, 18, 100).astype(np.float32) / 7, tile=(16, 16), compression="zlib")
    save("double.tif", scene(5, 4, 100) / 7)
    save("signed.tif", (scene(6, 5, 5000) - 2500).astype(np.int16))
    rgb = scene(6, 7, 255, 3).astype(np.uint8)
    save("planar.tif", np.moveaxis(rgb, -1, 0), rgb, photometric="rgb", planarconfig="separate")
    white = scene(6, 7, 255).astype(np.uint8)
    save("white.tif", white, 255 - white, photometric="miniswhite")
    Image.fromarray(rgb).quantize(9).save(FOLDER / "palette.tif")
    picture("palette.tif", np.asarray(Image.open(FOLDER / "palette.tif").convert("RGB")))
    pages = np.stack([scene(5, 8, 65535) for _ in range(3)]).astype(np.uint16)
    tifffile.imwrite(FOLDER / "pages.tif", pages, metadata=None, photometric="minisblack", compression="zlib")
    expected["pages.tif"] = pages[None]
    expected["double.tif"] = expected["double.tif"].astype(np.float32)


OBLIQUE = nib.affines.from_matvec(
    nib.eulerangles.euler2mat(0.2, -0.15, 0.3) @ np.diag([1.5, 2.0, 3.5]), [-20.5, 13.25, 7.75])


def volume(name, image, scaled=False):
    nib.save(image, FOLDER / name)
    data = nib.load(FOLDER / name)
    array = np.asanyarray(data.dataobj)
    if array.dtype.fields:
        array = np.stack([array[c] for c in "RGB"], -1)
    array = array.astype(np.float32) if scaled else array
    array = array if array.ndim == 4 else array[..., None]
    expected[name] = np.ascontiguousarray(array.transpose(3, 2, 1, 0))
    expected[name + ".affine"] = data.affine.astype(np.float64)


def niftis():
    cube = np.stack([scene(5, 4, 3000) for _ in range(3)], -1).astype(np.int16) - 1024
    volume("int16.nii", nib.Nifti1Image(cube, OBLIQUE))
    volume("two.nii.gz", nib.Nifti2Image(cube.astype(np.uint16), OBLIQUE))
    big = nib.Nifti1Image(cube.astype(np.int32), OBLIQUE, nib.Nifti1Header(endianness=">"))
    volume("big.nii", big)
    scaled = nib.Nifti1Image(cube, OBLIQUE)
    scaled.header.set_slope_inter(0.5, -3)
    volume("scaled.nii", scaled, scaled=True)
    quaternion = nib.Nifti1Image(cube.astype(np.float64) / 3, None)
    quaternion.set_qform(OBLIQUE, 1)
    quaternion.set_sform(None, 0)
    volume("qform.nii", quaternion)
    expected["qform.nii"] = expected["qform.nii"].astype(np.float32)
    volume("four.nii", nib.Nifti1Image(np.stack([cube, cube[::-1] // 2], -1), OBLIQUE))
    colour = np.stack([scene(5, 4, 255, 3) for _ in range(3)], 2).astype(np.uint8)
    fields = np.ascontiguousarray(colour).view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
    volume("colour.nii", nib.Nifti1Image(fields, OBLIQUE))


def reorientations():
    cube = rng.permutation(60).reshape(3, 4, 5).astype(np.int16)
    source = nib.Nifti1Image(cube, OBLIQUE)
    expected["reorientation.source"] = cube.transpose(2, 1, 0)[None].copy()
    expected["reorientation.affine"] = OBLIQUE
    here = nib.io_orientation(OBLIQUE)
    for axes in itertools.permutations(["LR", "PA", "IS"]):
        for code in itertools.product(*axes):
            there = nib.orientations.axcodes2ornt(code)
            turned = source.as_reoriented(nib.orientations.ornt_transform(here, there))
            assert nib.aff2axcodes(turned.affine) == code
            name = "".join(code)
            expected["reorientation." + name] = np.ascontiguousarray(
                np.asanyarray(turned.dataobj).transpose(2, 1, 0)[None])
            expected["reorientation." + name + ".affine"] = turned.affine


def dicom(name, pixels, syntax=ExplicitVRLittleEndian, preamble=b"\0" * 128, **elements):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage if elements["Modality"] == "CT" else SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = f"1.2.826.0.1.3680043.8.498.{sum(map(ord, name))}.{len(name)}"
    meta.TransferSyntaxUID = syntax
    data = FileDataset(str(FOLDER / name), {}, file_meta=meta, preamble=preamble)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.PatientID, data.StudyInstanceUID, data.SeriesInstanceUID = "limn-7", "1.2.3.1", "1.2.3.1.1"
    data.Rows, data.Columns = pixels.shape[:2]
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 8 * pixels.dtype.itemsize
    data.PixelRepresentation = int(pixels.dtype.kind == "i")
    for key, value in elements.items():
        setattr(data, key, value)
    data.HighBit = data.BitsStored - 1
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    data.PixelData = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    pydicom.dcmwrite(FOLDER / name, data, implicit_vr=False, little_endian=order == "<")


def series():
    """An oblique CT of five slices, named out of order, one gap wider; 12 bits stored with a sign."""
    rotation = OBLIQUE[:3, :3] / np.linalg.norm(OBLIQUE[:3, :3], axis=0)
    lps = np.diag([-1.0, -1.0, 1.0]) @ rotation
    (FOLDER / "series").mkdir(exist_ok=True)
    places = np.array([0, 2, 4, 6, 9.0])
    slices = [(scene(6, 5, 3000) - 1000).astype(np.int16) for _ in places]
    origin = np.array([10.5, -4.25, 30.0])
    corners = [origin + place * np.cross(lps[:, 0], lps[:, 1]) for place in places]
    for number, (index, letter) in enumerate(zip([3, 0, 4, 1, 2], "abcde")):
        dicom(f"series/{letter}.dcm", slices[index], Modality="CT", BitsStored=12, InstanceNumber=number + 1,
              RescaleSlope=1, RescaleIntercept=-24, PixelSpacing=[0.75, 0.5],
              ImageOrientationPatient=[round(float(v), 10) for v in [*lps[:, 0], *lps[:, 1]]],
              ImagePositionPatient=[round(float(v), 6) for v in corners[index]])
    expected["series"] = np.stack(slices)[None] - np.int16(24)
    flip = np.diag([-1.0, -1.0, 1.0])
    step = (corners[-1] - corners[0]) / 4
    columns = np.stack([lps[:, 0] * 0.5, lps[:, 1] * 0.75, step], 1)
    expected["series.affine"] = nib.affines.from_matvec(flip @ columns, flip @ corners[0])


def tilted():
    """Three places under a gantry tilted by 20 degrees; the second place was exposed twice."""
    (FOLDER / "tilted").mkdir(exist_ok=True)
    angle = np.deg2rad(20)
    down = [0.0, round(float(np.cos(angle)), 10), round(float(-np.sin(angle)), 10)]
    slices = [scene(4, 3, 900).astype(np.uint16) for _ in range(4)]
    for index, (pixels, z) in enumerate(zip(slices, [0, 5, 5, 10])):
        dicom(f"tilted/{index}.dcm", pixels, Modality="MR", InstanceNumber=index + 1, PixelSpacing=[2, 1],
              ImageOrientationPatient=[1, 0, 0, *down], ImagePositionPatient=[-7, 3, z])
    expected["tilted"] = np.stack([slices[0], slices[1], slices[3]])[None]
    expected["tilted.affine"] = nib.affines.from_matvec(
        np.diag([-1.0, -1.0, 1.0]) @ np.array([[1, 0, 0], [0, 2 * down[1], 0], [0, 2 * down[2], 5]]), [7, -3, 0])


def single_dicoms():
    cr = scene(6, 5, 1023).astype(np.uint16)
    dicom("mono1.dcm", cr, Modality="CR", BitsStored=10, PhotometricInterpretation="MONOCHROME1")
    picture("mono1.dcm", cr)
    pet = scene(6, 5, 30000).astype(np.uint16)
    dicom("pet.dcm", pet, ExplicitVRBigEndian, Modality="PT", RescaleSlope=0.25, RescaleIntercept=1)
    picture("pet.dcm", (pet * 0.25 + 1).astype(np.float32))
    rgb = scene(6, 5, 255, 3).astype(np.uint8)
    dicom("rgb.dcm", np.moveaxis(rgb, -1, 0).reshape(6, 5, 3), Modality="OT", SamplesPerPixel=3,
          PhotometricInterpretation="RGB", PlanarConfiguration=1)
    picture("rgb.dcm", rgb)
    # What stands before the magic makes this file a TIFF, too.
    dicom("ybr.dcm", rgb, preamble=b"II*\0" + b"\0" * 124, Modality="OT", SamplesPerPixel=3,
          PhotometricInterpretation="YBR_FULL", PlanarConfiguration=0)
    picture("ybr.dcm", pydicom.pixels.convert_color_space(rgb, "YBR_FULL", "RGB"))


def filters():
    image = rng.random((2, 1, 9, 12)).astype(np.float32)
    image[1] = ndimage.gaussian_filter(image[1, 0], 1.5)
    coarse = np.round(image * 12).astype(np.float32)
    expected["filters.image"], expected["filters.coarse"] = image, coarse

    def each(name, images, function):
        results = [function(i[0].astype(np.float64)) for i in images]
        expected["filters." + name] = np.stack(results)[:, None].astype(np.float32)

    def gaussian(x):
        kernel = np.exp(-np.arange(-3, 4) ** 2 / (2 * 1.3**2))
        for axis in (0, 1):
            x = ndimage.correlate1d(x, kernel / kernel.sum(), axis, mode="mirror")
        return x

    each("sobel", image, lambda x: np.hypot(ndimage.sobel(x, 0, mode="mirror"), ndimage.sobel(x, 1, mode="mirror")))
    each("gaussian", image, gaussian)
    ellipse5 = np.array([[0, 0, 1, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [0, 0, 1, 0, 0]])
    elements = {"cross3": ndimage.generate_binary_structure(2, 1), "square5": np.ones((5, 5)), "ellipse5": ellipse5}
    for name, element in elements.items():
        def erode(x):
            return ndimage.grey_erosion(x, footprint=element, mode="constant", cval=np.inf)

        def dilate(x):
            return ndimage.grey_dilation(x, footprint=element, mode="constant", cval=-np.inf)

        each(name + ".erosion", image, erode)
        each(name + ".dilation", image, dilate)
        each(name + ".opening", image, lambda x: dilate(erode(x)))
        each(name + ".closing", image, lambda x: erode(dilate(x)))
    for connectivity in (1, 2):
        each(f"area{connectivity}.opening", coarse, lambda x: morphology.area_opening(x, 9, connectivity))
        each(f"area{connectivity}.closing", coarse, lambda x: morphology.area_closing(x, 9, connectivity))


def resizing():
    image = scene(23, 17, 1000).astype(np.float32)
    expected["resize.image"] = image[None]
    for height, width in [(8, 6), (40, 31), (9, 30)]:
        resized = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
        expected[f"resize.{height}x{width}"] = np.asarray(resized)[None]
    expected["percentiles"] = np.percentile(image, [0.5, 30, 99.5])


def png(name, array, depth):
    """RGB of 16 bits, which Pillow does not write."""
    height, width = array.shape[:2]

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in array)
    header = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    (FOLDER / name).write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def rarer():
    """What came later: a stream of random numbers of its own keeps the files above as they are."""
    global rng
    rng = np.random.default_rng(20261121)
    gray = ndimage.zoom(scene(4, 5, 255), 4, order=1).astype(np.uint8)
    rgb = ndimage.zoom(scene(4, 5, 255, 3), (4, 4, 1), order=1).astype(np.uint8)
    deep = scene(6, 7, 65535, 3).astype(np.uint16)
    png("rgb16.png", deep, 16)
    picture("rgb16.png", deep)
    for bits, colours in [(2, 4), (4, 11)]:
        palette = Image.fromarray(rgb).quantize(colours)
        palette.save(FOLDER / f"palette{bits}.png", bits=bits)
        picture(f"palette{bits}.png", np.asarray(palette.convert("RGB")))
    Image.merge("LA", [Image.fromarray(gray), Image.fromarray(255 - gray)]).save(FOLDER / "alpha.png")
    picture("alpha.png", gray)
    inks = Image.fromarray(np.dstack([rgb, gray // 2]), "CMYK")
    inks.save(FOLDER / "cmyk.jpg", quality=95)
    picture("cmyk.jpg", np.asarray(Image.open(FOLDER / "cmyk.jpg").convert("RGB")))
    for name, image in [("lzw", gray), ("packbits", rgb), ("deflate", rgb)]:
        compression = {"lzw": "tiff_lzw", "packbits": "packbits", "deflate": "tiff_adobe_deflate"}[name]
        Image.fromarray(image).save(FOLDER / f"{name}.tif", compression=compression)
        picture(f"{name}.tif", image)
    Image.fromarray(gray).save(FOLDER / "jpeg.tif", compression="jpeg")
    picture("jpeg.tif", np.asarray(Image.open(FOLDER / "jpeg.tif")))
    bits = gray > 120
    Image.fromarray(bits).save(FOLDER / "fax.tif", compression="group4")
    picture("fax.tif", bits.astype(np.uint8) * 255)
    for name, dtype, low in [("int8.tif", np.int8, -128), ("uint32.tif", np.uint32, 0)]:
        values = (scene(6, 5, 255) + low).astype(dtype)
        tifffile.imwrite(FOLDER / name, values, metadata=None)
        picture(name, values.astype(np.int16 if dtype == np.int8 else np.int32))
    tiles = np.moveaxis(scene(20, 18, 65535, 3), -1, 0).astype(np.uint16)
    tifffile.imwrite(FOLDER / "tiles.tif", tiles, metadata=None, tile=(16, 16), photometric="rgb",
                     planarconfig="separate")
    picture("tiles.tif", np.moveaxis(tiles, 0, -1))


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for make in (pngs, jpegs, tiffs, niftis, reorientations, series, tilted, single_dicoms, filters, resizing,
                 rarer):
        make()
    (FOLDER / "text.png").write_text("this is no picture, whatever its name says\n")
    (FOLDER / "truncated.png").write_bytes((FOLDER / "rgb8.png").read_bytes()[:90])
    (FOLDER / "truncated.jpg").write_bytes((FOLDER / "gray.jpg").read_bytes()[:-60])
    (FOLDER / "truncated.tif").write_bytes((FOLDER / "float.tif").read_bytes()[:700])
    (FOLDER / "truncated.nii").write_bytes((FOLDER / "int16.nii").read_bytes()[:420])
    (FOLDER / "truncated.dcm").write_bytes((FOLDER / "mono1.dcm").read_bytes()[:-20])
    native = {name: np.ascontiguousarray(x.astype(x.dtype.newbyteorder("="))) for name, x in expected.items()}
    save_file(native, FOLDER / "expected.safetensors")
