# Writes datasets/: a DICOM series of three slices that says all it can about an invented person, whose traces no
# dataset may hold.
#
#   python3 -m pip install numpy pydicom
#   python3 Tests/Fixtures/make_datasets_fixtures.py
import pathlib

import numpy as np
import pydicom

from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

FOLDER = pathlib.Path(__file__).resolve().parent / "datasets"
FOLDER.mkdir(exist_ok=True)
rng = np.random.default_rng(20240612)
SERIES = "1.2.826.0.1.3680043.8.498.777001"

for number in range(3):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = f"{SERIES}.{number + 1}"
    name = FOLDER / f"{number + 1}.dcm"
    data = FileDataset(str(name), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID, data.Modality = "1.2.826.0.1.3680043.8.498.777", SERIES, "CT"
    data.PatientName, data.PatientID, data.PatientBirthDate = "Musterfrau^Erika", "KH-4711-0815", "19640812"
    data.AccessionNumber, data.InstitutionName = "ACC-99887", "Spital Beispielstadt"
    data.ReferringPhysicianName, data.StudyDate = "Hippokrates^Arzt", "20190331"
    data.Rows, data.Columns, data.SamplesPerPixel = 6, 5, 1
    data.PhotometricInterpretation, data.PixelRepresentation = "MONOCHROME2", 1
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.RescaleSlope, data.RescaleIntercept, data.PixelSpacing = 1, -1024, [0.5, 0.5]
    data.ImageOrientationPatient, data.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 2.0 * number]
    data.PixelData = rng.integers(0, 2048, (6, 5)).astype("<i2").tobytes()
    pydicom.dcmwrite(name, data, implicit_vr=False, little_endian=True)

# Label maps with palettes, of few bits a sample.
for bits in (1, 2, 4):
    image = Image.fromarray((np.arange(35) % (1 << bits)).astype(np.uint8).reshape(5, 7), "P")
    image.putpalette([value for n in range(1 << bits) for value in (200 - 9 * n, 10 * n, 30)])
    image.save(FOLDER / f"indexed-{bits}.png", bits=bits)
