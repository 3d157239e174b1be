// The C door to GDCM, niftiio, libtiff, libpng and libjpeg: decoded pixels with their geometry come out,
// encoded files go in. No exception and no library type crosses it; every failure is a line of text.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Why a call failed, one line, always terminated; empty after success.
typedef struct {
  char text[512];
} CMedError;

/// The element types that leave the door; every other stored type is widened to one of them.
typedef enum {
  CMedTypeUInt8 = 0,
  CMedTypeUInt16 = 1,
  CMedTypeInt16 = 2,
  CMedTypeInt32 = 3,
  CMedTypeFloat32 = 4,
  CMedTypeFloat64 = 5,
} CMedType;

/// Decoded pixels. `data` holds [depth, height, width, channels], or [channels, depth, height, width] when
/// `planar`; x runs fastest otherwise.
typedef struct {
  void *data;
  size_t byteCount;
  CMedType type;
  bool planar;
  int64_t channels, depth, height, width;
  /// Significant bits of a stored sample (12 in most CT files), before rescaling.
  int32_t storedBits;
  /// EXIF orientation, 1 to 8; 1 where the format has none.
  int32_t orientation;
  /// Row-major 4x4, voxel (x, y, z) to millimetres, RAS+; valid when `hasAffine`.
  double affine[16];
  bool hasAffine;
} CMedImage;

/// How the stored samples of a DICOM file lie in its pixels.
typedef struct {
  int64_t frames, rows, columns, samples;
  int32_t bitsAllocated, bitsStored, highBit;
  bool isSigned, isFloat, isBigEndian;
  /// Whether samples of 8 bits or less were stored as big-endian words.
  bool isWordSwapped;
  /// Whether a native frame holds its colours one after the other.
  bool isPlanar;
  /// The UID of the transfer syntax, and the photometric interpretation; never null.
  const char *transferSyntax, *photometric;
} CMedDicomFormat;

/// A part of a DICOM file's pixels: all of native ones, or a fragment of `frame` (from 0).
typedef struct {
  const void *bytes;
  size_t count;
  int64_t frame;
} CMedFragment;

/// Bytes made by an encoder.
typedef struct {
  uint8_t *bytes;
  size_t count;
} CMedBuffer;

/// A pair of texts for a PNG `tEXt` chunk.
typedef struct {
  const char *key;
  const char *value;
} CMedText;

/// A TIFF of one page, open for reading parts of it; one being written row by row.
typedef struct CMedTIFF CMedTIFF;
typedef struct CMedTIFFWriter CMedTIFFWriter;

/// Frees the pixels of `image`, which may be empty.
void CMedImageFree(CMedImage *image);
/// Frees the bytes of `buffer`, which may be empty.
void CMedBufferFree(CMedBuffer *buffer);

// Readers. True after success. None allocates more than `maximumBytes` for the pixels.
bool CMedPNGRead(const void *bytes, size_t count, size_t maximumBytes, CMedImage *image, CMedError *error);
bool CMedJPEGRead(const void *bytes, size_t count, size_t maximumBytes, CMedImage *image, CMedError *error);
bool CMedTIFFRead(const char *path, size_t maximumBytes, CMedImage *image, CMedError *error);
bool CMedNIfTIRead(const char *path, size_t maximumBytes, CMedImage *image, CMedError *error);
/// Whether the file, plain or gzip, begins with a NIfTI or Analyze header.
bool CMedNIfTIProbe(const char *path);
/// Decodes frame by frame to stored values, colours as RGB; unsigned samples of 32 bits become float64.
bool CMedDicomDecode(
    const CMedDicomFormat *format, const CMedFragment *fragments, size_t count, size_t maximumBytes,
    CMedImage *image, CMedError *error);
/// Undoes raw deflate.
bool CMedInflate(const void *bytes, size_t count, size_t maximumBytes, CMedBuffer *buffer, CMedError *error);

// Headers: as the readers, without pixels.
bool CMedPNGProbe(const void *bytes, size_t count, CMedImage *image, CMedError *error);
bool CMedJPEGProbe(const void *bytes, size_t count, CMedImage *image, CMedError *error);
bool CMedTIFFProbe(const char *path, size_t maximumBytes, CMedImage *image, CMedError *error);
bool CMedNIfTIReadHeader(const char *path, size_t maximumBytes, CMedImage *image, CMedError *error);

// Writers. `image.data` is read only and is not freed; PNG and JPEG take one slice of 1 or 3 channels.
bool CMedPNGWrite(
    const CMedImage *image, const CMedText *texts, size_t textCount, CMedBuffer *buffer, CMedError *error);
bool CMedJPEGWrite(
    const CMedImage *image, int32_t quality, const char *comment, CMedBuffer *buffer, CMedError *error);
bool CMedTIFFWrite(const CMedImage *image, const char *description, const char *path, CMedError *error);
/// `compressed` writes gzip; `description` is cut at 79 bytes (NIfTI's `descrip`); readers give slope times the stored
/// number, plus intercept. The channels are NIfTI's fourth dimension, or, of a displacement, its fifth.
bool CMedNIfTIWrite(
    const CMedImage *image, double slope, double intercept, bool isDisplacement, const char *description,
    bool compressed, const char *path, CMedError *error);

// Parts of large TIFFs: gray or RGB of 8 or 16 bits, gray float32.

/// Opens a file of one page and describes it; null after a failure. `maximumBytes` bounds each region that is read.
CMedTIFF *CMedTIFFOpen(const char *path, size_t maximumBytes, CMedImage *image, CMedError *error);
/// Reads a rectangle of at least one pixel. Strips are decoded from their first row, or from where the last call
/// ended.
bool CMedTIFFReadRegion(
    CMedTIFF *tiff, uint32_t x, uint32_t y, uint32_t width, uint32_t height, CMedImage *image, CMedError *error);
void CMedTIFFClose(CMedTIFF *tiff);

/// Begins a file as `image` describes it, without its pixels; null after a failure. `palette` is null or 256 colours
/// of 3 bytes.
CMedTIFFWriter *CMedTIFFCreate(
    const char *path, const CMedImage *image, const uint8_t *palette, const char *description, CMedError *error);
/// Writes the next rows, [count, width, channels].
bool CMedTIFFWriteRows(CMedTIFFWriter *writer, const void *rows, int64_t count, CMedError *error);
/// Ends the file, which must have all of its rows.
bool CMedTIFFFinish(CMedTIFFWriter *writer, CMedError *error);
/// Closes the file, finished or not.
void CMedTIFFAbandon(CMedTIFFWriter *writer);

/// Name and version of each library that tells it, as in "GDCM 3.0.21, libtiff 4.5.0", for bug reports.
const char *CMedVersions(void);

#ifdef __cplusplus
}
#endif
