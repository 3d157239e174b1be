// TIFFs larger than memory: rectangles of a page, and a page written row by row.
#include <algorithm>

#include "Tiff.hpp"

using namespace limn;

struct CMedTIFF {
  /// libtiff's words, which the open file writes to.
  std::string reason;
  TIFFHandle file;
  TIFFPage page;
  CMedImage image = emptyImage();
  size_t maximumBytes = 0;
  std::vector<uint8_t> block;
  uint32_t stripRows = 1;
  /// Compressed rows are decoded in order: the next one, and of which plane.
  uint32_t nextRow = 0;
  size_t nextPlane = SIZE_MAX;
};

struct CMedTIFFWriter {
  std::string reason;
  TIFFHandle file;
  CMedImage image = emptyImage();
  uint32_t row = 0;
  std::vector<uint8_t> buffer;
};

namespace {

/// JPEG's colours, which libjpeg turns into RGB where it is asked to.
void convertJPEGColours(CMedTIFF &tiff) {
  uint16_t compression = COMPRESSION_NONE;
  TIFFGetFieldDefaulted(tiff.file.get(), TIFFTAG_COMPRESSION, &compression);
  const bool isContiguous = tiff.page.planar == PLANARCONFIG_CONTIG && tiff.page.samples == 3;
  if (tiff.page.photometric != PHOTOMETRIC_YCBCR || compression != COMPRESSION_JPEG || !isContiguous) return;
  TIFFSetField(tiff.file.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  tiff.page.photometric = PHOTOMETRIC_RGB;
}

/// Refuses what has no pixels of its own to read in part.
void checkKind(const TIFFPage &page) {
  const bool isInteger = page.format == SAMPLEFORMAT_UINT || page.format == SAMPLEFORMAT_VOID;
  const bool isKnown = (isInteger && (page.bits == 8 || page.bits == 16)) ||
                       (page.format == SAMPLEFORMAT_IEEEFP && page.bits == 32 && page.channels() == 1);
  if (page.needsRGBA() || !isKnown || page.samples < page.channels()) {
    fail("samples of " + std::to_string(page.bits) + " bits in format " + std::to_string(page.format) +
         ", photometric interpretation " + std::to_string(page.photometric));
  }
}

void openPage(CMedTIFF &tiff, const char *path, size_t maximumBytes) {
  // Not mapped: what was read of a large file would count as this process's memory.
  tiff.file = openTIFF(path, "rm", maximumBytes, &tiff.reason);
  const std::vector<tdir_t> directories = describeTIFF(tiff.file.get(), tiff.image);
  if (directories.size() != 1) fail(std::to_string(directories.size()) + " pages");
  TIFFSetDirectory(tiff.file.get(), directories[0]);
  tiff.page = TIFFPage(tiff.file.get());
  convertJPEGColours(tiff);
  checkKind(tiff.page);
  tiff.image.type = tiff.page.type();
  // A file of a few bytes that claims a gigantic image is refused here, before anybody reads by its size.
  checkedCount(tiff.image, bytesPerElement(tiff.image.type),
               plausibleBytes(storedBytes(tiff.file.get()), PTRDIFF_MAX));
  tiff.maximumBytes = maximumBytes;
  tiff.block = blockOf(tiff.file.get(), plausibleBytes(storedBytes(tiff.file.get()), maximumBytes));
  uint32_t rows = 0;
  TIFFGetFieldDefaulted(tiff.file.get(), TIFFTAG_ROWSPERSTRIP, &rows);
  tiff.stripRows = rows == 0 ? tiff.page.height : std::min(rows, tiff.page.height);
}

/// The row from which decoding reaches `row`: the one after the last, or the strip's first.
uint32_t firstRow(const CMedTIFF &tiff, uint32_t row, size_t plane) {
  const uint32_t begin = row - row % tiff.stripRows;
  const bool isAhead = plane == tiff.nextPlane && tiff.nextRow > begin && tiff.nextRow <= row;
  return isAhead ? tiff.nextRow : begin;
}

void readRows(CMedTIFF &tiff, const TIFFPlacer &placer) {
  for (size_t plane = 0; plane < tiff.page.planes(); ++plane) {
    uint32_t row = firstRow(tiff, placer.window.y, plane);
    tiff.nextPlane = SIZE_MAX;
    for (; row < placer.window.bottom(); ++row) {
      if (TIFFReadScanline(tiff.file.get(), tiff.block.data(), row, static_cast<uint16_t>(plane)) < 0) {
        fail("row " + std::to_string(row) + " cannot be read");
      }
      placer.place(tiff.block.data(), 0, row, tiff.page.width, 1, plane);
    }
    tiff.nextRow = row;
    tiff.nextPlane = plane;
  }
}

void readRegion(CMedTIFF &tiff, TIFFWindow window, CMedImage &image) {
  const TIFFPage &page = tiff.page;
  if (uint64_t(window.x) + window.width > page.width || uint64_t(window.y) + window.height > page.height) {
    fail("a region beyond " + std::to_string(page.width) + " x " + std::to_string(page.height) + " pixels");
  }
  image.width = window.width;
  image.height = window.height;
  image.channels = tiff.image.channels;
  image.type = tiff.image.type;
  image.storedBits = tiff.image.storedBits;
  allocate(image, tiff.maximumBytes);
  auto *target = static_cast<uint8_t *>(image.data);
  const TIFFPlacer placer{page, window, target, page.bits / 8u, static_cast<size_t>(image.channels)};
  TIFFIsTiled(tiff.file.get()) ? readTIFFTiles(tiff.file.get(), placer, tiff.block) : readRows(tiff, placer);
  page.invert(target, image.byteCount);
}

size_t rowBytes(const CMedImage &image) {
  return static_cast<size_t>(image.width * image.channels) * bytesPerElement(image.type);
}

/// Colours of 8 bits, as libtiff takes them: 16 bits each, a channel after the other.
void setPalette(TIFF *file, const uint8_t *palette) {
  std::vector<uint16_t> colours(3 * 256);
  for (size_t i = 0; i < 256; ++i) {
    for (size_t c = 0; c < 3; ++c) colours[256 * c + i] = static_cast<uint16_t>(palette[3 * i + c] * 257);
  }
  TIFFSetField(file, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_PALETTE);
  TIFFSetField(file, TIFFTAG_PREDICTOR, PREDICTOR_NONE);
  TIFFSetField(file, TIFFTAG_COLORMAP, &colours[0], &colours[256], &colours[512]);
}

void createPage(CMedTIFFWriter &writer, const char *path, const uint8_t *palette, const char *description) {
  const CMedImage &image = writer.image;
  if (image.channels != 1 && image.channels != 3) fail("a TIFF takes 1 or 3 channels");
  if (palette && (image.channels != 1 || image.type != CMedTypeUInt8)) fail("a palette is for one 8-bit channel");
  const size_t bytes = checkedCount(image, bytesPerElement(image.type), PTRDIFF_MAX) * bytesPerElement(image.type);
  if (image.width > UINT32_MAX || image.height > UINT32_MAX) fail("a TIFF's sides have 32 bits");
  // Deflate may not shrink noise, and the strips' table comes on top.
  const bool isBig = bytes > (size_t(15) << 28);
  writer.file = openTIFF(path, isBig ? "w8" : "w", SIZE_MAX, &writer.reason);
  describePage(writer.file.get(), image, description);
  if (palette) setPalette(writer.file.get(), palette);
  const size_t rows = std::max<size_t>(1, (size_t(256) << 10) / rowBytes(image));
  TIFFSetField(writer.file.get(), TIFFTAG_ROWSPERSTRIP, static_cast<uint32_t>(std::min<size_t>(rows, image.height)));
  writer.buffer.resize(rowBytes(image));
}

void writeRows(CMedTIFFWriter &writer, const void *rows, int64_t count) {
  if (count > writer.image.height - writer.row) fail("more rows than the image has");
  const auto *source = static_cast<const uint8_t *>(rows);
  for (int64_t y = 0; y < count; ++y, ++writer.row) {
    // libtiff's predictor works in place, so each row is a copy.
    std::memcpy(writer.buffer.data(), source + static_cast<size_t>(y) * writer.buffer.size(), writer.buffer.size());
    if (TIFFWriteScanline(writer.file.get(), writer.buffer.data(), writer.row, 0) < 0) {
      fail("a row was not written");
    }
  }
}

}  // namespace

CMedTIFF *CMedTIFFOpen(const char *path, size_t maximumBytes, CMedImage *image, CMedError *error) {
  std::unique_ptr<CMedTIFF> tiff;
  const bool succeeded = guarded(error, [&] {
    tiff = std::make_unique<CMedTIFF>();
    explaining(tiff->reason, [&] { openPage(*tiff, path, maximumBytes); });
    *image = tiff->image;
  });
  return succeeded ? tiff.release() : nullptr;
}

bool CMedTIFFReadRegion(
    CMedTIFF *tiff, uint32_t x, uint32_t y, uint32_t width, uint32_t height, CMedImage *image, CMedError *error) {
  return guarded(error, [&] {
    tiff->reason.clear();
    explaining(tiff->reason, [&] {
      PendingImage pending;
      readRegion(*tiff, {x, y, width, height}, pending.image);
      pending.moveTo(image);
    });
  });
}

void CMedTIFFClose(CMedTIFF *tiff) { delete tiff; }

CMedTIFFWriter *CMedTIFFCreate(
    const char *path, const CMedImage *image, const uint8_t *palette, const char *description, CMedError *error) {
  std::unique_ptr<CMedTIFFWriter> writer;
  const bool succeeded = guarded(error, [&] {
    writer = std::make_unique<CMedTIFFWriter>();
    writer->image = *image;
    explaining(writer->reason, [&] { createPage(*writer, path, palette, description); });
  });
  return succeeded ? writer.release() : nullptr;
}

bool CMedTIFFWriteRows(CMedTIFFWriter *writer, const void *rows, int64_t count, CMedError *error) {
  return guarded(error, [&] { explaining(writer->reason, [&] { writeRows(*writer, rows, count); }); });
}

bool CMedTIFFFinish(CMedTIFFWriter *writer, CMedError *error) {
  return guarded(error, [&] {
    explaining(writer->reason, [&] {
      if (writer->row != writer->image.height) {
        fail(std::to_string(writer->row) + " rows of " + std::to_string(writer->image.height));
      }
      if (!TIFFWriteDirectory(writer->file.get())) fail("the page was not written");
    });
  });
}

void CMedTIFFAbandon(CMedTIFFWriter *writer) { delete writer; }
