// TIFF through libtiff: gray and RGB of 8 and 16 bit, 32-bit integers, floats; pages of equal size as slices.
#include "Tiff.hpp"

#include <algorithm>
#include <cstdarg>

using namespace limn;

namespace {

int onError(TIFF *, void *reason, const char *module, const char *format, va_list arguments) {
  char text[400];
  std::vsnprintf(text, sizeof text, format, arguments);
  auto *line = static_cast<std::string *>(reason);
  if (line->empty()) *line = std::string(module) + ": " + text;
  return 1;
}

int onWarning(TIFF *, void *, const char *, const char *, va_list) { return 1; }

}  // namespace

TIFFHandle limn::openTIFF(const char *path, const char *mode, size_t maximumBytes, std::string *reason) {
  std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions *)> options(
      TIFFOpenOptionsAlloc(), TIFFOpenOptionsFree);
  if (!options) throw std::bad_alloc();
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), onError, reason);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), onWarning, nullptr);
  TIFFOpenOptionsSetMaxSingleMemAlloc(
      options.get(), static_cast<tmsize_t>(std::min<size_t>(maximumBytes, PTRDIFF_MAX)));
  TIFFHandle file(TIFFOpenExt(path, mode, options.get()));
  if (!file) fail(*reason);
  return file;
}

TIFFPage::TIFFPage(TIFF *file) {
  TIFFGetField(file, TIFFTAG_IMAGEWIDTH, &width);
  TIFFGetField(file, TIFFTAG_IMAGELENGTH, &height);
  TIFFGetFieldDefaulted(file, TIFFTAG_SUBFILETYPE, &kind);
  TIFFGetFieldDefaulted(file, TIFFTAG_BITSPERSAMPLE, &bits);
  TIFFGetFieldDefaulted(file, TIFFTAG_SAMPLESPERPIXEL, &samples);
  TIFFGetFieldDefaulted(file, TIFFTAG_SAMPLEFORMAT, &format);
  TIFFGetFieldDefaulted(file, TIFFTAG_PLANARCONFIG, &planar);
  TIFFGetField(file, TIFFTAG_PHOTOMETRIC, &photometric);
}

bool TIFFPage::operator==(const TIFFPage &other) const {
  return width == other.width && height == other.height && bits == other.bits && samples == other.samples &&
         format == other.format && photometric == other.photometric;
}

CMedType TIFFPage::type() const {
  if (needsRGBA()) return CMedTypeUInt8;
  if (format == SAMPLEFORMAT_IEEEFP && (bits == 32 || bits == 64)) return CMedTypeFloat32;
  if (format == SAMPLEFORMAT_INT && bits == 16) return CMedTypeInt16;
  if (format == SAMPLEFORMAT_INT && bits == 32) return CMedTypeInt32;
  if (format == SAMPLEFORMAT_INT && bits == 8) return CMedTypeInt16;
  const bool isUnsigned = format == SAMPLEFORMAT_UINT || format == SAMPLEFORMAT_VOID;
  if (isUnsigned && bits == 32) return CMedTypeInt32;
  if (isUnsigned && bits == 8) return CMedTypeUInt8;
  if (isUnsigned && bits == 16) return CMedTypeUInt16;
  fail("samples of " + std::to_string(bits) + " bits in format " + std::to_string(format) +
       ", expected integers of 8, 16 or 32 bits or floats of 32 or 64");
}

int64_t TIFFPage::channels() const {
  if (needsRGBA()) return isConverted() ? 3 : 1;
  if (photometric == PHOTOMETRIC_RGB && samples >= 3) return 3;
  if (photometric == PHOTOMETRIC_MINISBLACK || photometric == PHOTOMETRIC_MINISWHITE) return 1;
  fail("photometric interpretation " + std::to_string(photometric) + ", expected gray, RGB or palette");
}

void TIFFPage::invert(uint8_t *samples, size_t bytes) const {
  if (photometric != PHOTOMETRIC_MINISWHITE || needsRGBA()) return;
  if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID) return;
  for (size_t i = 0; i < bytes; ++i) samples[i] = static_cast<uint8_t>(~samples[i]);
}

void TIFFPlacer::place(const uint8_t *block, uint32_t x0, uint32_t y0, uint32_t blockWidth, uint32_t rows,
                       size_t plane) const {
  const bool contiguous = page.planar == PLANARCONFIG_CONTIG;
  const size_t blockSamples = contiguous ? page.samples : 1;
  const size_t copied = contiguous ? channels : 1;
  const uint32_t left = std::max(window.x, x0);
  const uint32_t right = static_cast<uint32_t>(std::min<uint64_t>(window.right(), uint64_t(x0) + blockWidth));
  const uint32_t bottom = static_cast<uint32_t>(std::min<uint64_t>(window.bottom(), uint64_t(y0) + rows));
  if (left >= right) return;
  // Where the block holds nothing else, pixels need no picking.
  const bool isWhole = blockSamples == copied && copied == channels;
  const size_t run = isWhole ? right - left : 1;
  for (uint32_t y = std::max(window.y, y0); y < bottom; ++y) {
    for (uint32_t x = left; x < right; x += static_cast<uint32_t>(run)) {
      const size_t from = (static_cast<size_t>(y - y0) * blockWidth + (x - x0)) * blockSamples;
      const size_t to = (static_cast<size_t>(y - window.y) * window.width + (x - window.x)) * channels + plane;
      std::memcpy(target + to * sampleBytes, block + from * sampleBytes, run * copied * sampleBytes);
    }
  }
}

void limn::readTIFFTiles(TIFF *file, const TIFFPlacer &placer, std::vector<uint8_t> &block) {
  uint32_t width = 0, height = 0;
  TIFFGetField(file, TIFFTAG_TILEWIDTH, &width);
  TIFFGetField(file, TIFFTAG_TILELENGTH, &height);
  if (width == 0 || height == 0) fail("tiles without a size");
  const TIFFWindow &window = placer.window;
  for (size_t plane = 0; plane < placer.page.planes(); ++plane) {
    for (uint64_t y = window.y / height * height; y < window.bottom(); y += height) {
      for (uint64_t x = window.x / width * width; x < window.right(); x += width) {
        const auto left = static_cast<uint32_t>(x), top = static_cast<uint32_t>(y);
        if (TIFFReadTile(file, block.data(), left, top, 0, static_cast<uint16_t>(plane)) < 0) {
          fail("a tile cannot be read");
        }
        placer.place(block.data(), left, top, width, height, plane);
      }
    }
  }
}

std::vector<uint8_t> limn::blockOf(TIFF *file, size_t maximumBytes) {
  const tmsize_t size = TIFFIsTiled(file) ? TIFFTileSize(file) : TIFFScanlineSize(file);
  if (size <= 0 || static_cast<size_t>(size) > maximumBytes) fail("a block size beyond the limit");
  return std::vector<uint8_t>(static_cast<size_t>(size));
}

namespace {

void readRows(TIFF *file, const TIFFPlacer &placer, std::vector<uint8_t> &block) {
  for (size_t plane = 0; plane < placer.page.planes(); ++plane) {
    for (uint32_t y = 0; y < placer.page.height; ++y) {
      if (TIFFReadScanline(file, block.data(), y, static_cast<uint16_t>(plane)) < 0) {
        fail("row " + std::to_string(y) + " cannot be read");
      }
      placer.place(block.data(), 0, y, placer.page.width, 1, plane);
    }
  }
}

/// Reads the page's samples as they are stored.
void readSamples(TIFF *file, const TIFFPage &page, uint8_t *target, size_t channels, size_t maximumBytes) {
  std::vector<uint8_t> block = blockOf(file, maximumBytes);
  const TIFFPlacer placer{page, {0, 0, page.width, page.height}, target, page.bits / 8u, channels};
  TIFFIsTiled(file) ? readTIFFTiles(file, placer, block) : readRows(file, placer, block);
}

void readRGBA(TIFF *file, const TIFFPage &page, uint8_t *target, size_t channels) {
  std::vector<uint32_t> raster(static_cast<size_t>(page.width) * page.height);
  if (!TIFFReadRGBAImageOriented(file, page.width, page.height, raster.data(), ORIENTATION_TOPLEFT, 1)) {
    fail("the colours cannot be read");
  }
  for (size_t i = 0; i < raster.size(); ++i) {
    for (size_t c = 0; c < channels; ++c) {
      target[i * channels + c] = static_cast<uint8_t>(raster[i] >> 8 * c & 0xFF);
    }
  }
}

/// Unsigned samples leave as signed ones.
void checkSign(const CMedImage &image, const uint8_t *target, size_t bytes) {
  if (image.type != CMedTypeInt32) return;
  const auto *values = reinterpret_cast<const int32_t *>(target);
  if (std::any_of(values, values + bytes / sizeof(int32_t), [](int32_t v) { return v < 0; })) {
    fail("a sample beyond 31 bits");
  }
}

void readPage(TIFF *file, const TIFFPage &page, CMedImage &image, size_t slice, size_t maximumBytes) {
  const size_t bytes = image.byteCount / static_cast<size_t>(image.depth);
  auto *target = static_cast<uint8_t *>(image.data) + slice * bytes;
  const auto channels = static_cast<size_t>(image.channels);
  if (page.needsRGBA()) {
    readRGBA(file, page, target, channels);
  } else if (page.bits == 64) {
    std::vector<double> wide(bytes / sizeof(float));
    readSamples(file, page, reinterpret_cast<uint8_t *>(wide.data()), channels, maximumBytes);
    convert<double, float>(wide.data(), target, wide.size(), [](double v) { return static_cast<float>(v); });
  } else if (page.bits == 8 && image.type == CMedTypeInt16) {
    std::vector<int8_t> narrow(bytes / sizeof(int16_t));
    readSamples(file, page, reinterpret_cast<uint8_t *>(narrow.data()), channels, maximumBytes);
    convert<int8_t, int16_t>(narrow.data(), target, narrow.size(), [](int8_t v) { return v; });
  } else {
    readSamples(file, page, target, channels, maximumBytes);
  }
  if (page.bits == 32 && page.format != SAMPLEFORMAT_INT) checkSign(image, target, bytes);
  page.invert(target, bytes);
}

/// The directories that hold pages, thumbnails and masks left out; all must look like the first.
std::vector<tdir_t> pages(TIFF *file) {
  std::vector<tdir_t> found;
  std::unique_ptr<TIFFPage> first;
  do {
    const TIFFPage page(file);
    if (page.isThumbnail()) continue;
    if (!first) first = std::make_unique<TIFFPage>(page);
    if (!(page == *first)) fail("pages of different size or type, expected equal ones");
    found.push_back(TIFFCurrentDirectory(file));
  } while (TIFFReadDirectory(file));
  if (found.empty()) fail("no full-size page");
  return found;
}

}  // namespace

std::vector<tdir_t> limn::describeTIFF(TIFF *file, CMedImage &image) {
  const std::vector<tdir_t> directories = pages(file);
  TIFFSetDirectory(file, directories[0]);
  const TIFFPage first(file);
  image.width = first.width;
  image.height = first.height;
  image.depth = static_cast<int64_t>(directories.size());
  image.channels = first.channels();
  image.type = first.type();
  image.storedBits = first.bits;
  return directories;
}

size_t limn::storedBytes(TIFF *file) {
  return static_cast<size_t>(TIFFGetSizeProc(file)(TIFFClientdata(file)));
}

void limn::describePage(TIFF *file, const CMedImage &image, const char *description) {
  const bool isFloat = image.type == CMedTypeFloat32;
  const bool isSigned = image.type == CMedTypeInt16 || image.type == CMedTypeInt32;
  TIFFSetField(file, TIFFTAG_IMAGEWIDTH, static_cast<uint32_t>(image.width));
  TIFFSetField(file, TIFFTAG_IMAGELENGTH, static_cast<uint32_t>(image.height));
  TIFFSetField(file, TIFFTAG_BITSPERSAMPLE, static_cast<int>(8 * bytesPerElement(image.type)));
  TIFFSetField(file, TIFFTAG_SAMPLESPERPIXEL, static_cast<int>(image.channels));
  TIFFSetField(file, TIFFTAG_SAMPLEFORMAT,
               isFloat ? SAMPLEFORMAT_IEEEFP : isSigned ? SAMPLEFORMAT_INT : SAMPLEFORMAT_UINT);
  TIFFSetField(file, TIFFTAG_PHOTOMETRIC, image.channels == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
  TIFFSetField(file, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
  TIFFSetField(file, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
  TIFFSetField(file, TIFFTAG_PREDICTOR, isFloat ? PREDICTOR_FLOATINGPOINT : PREDICTOR_HORIZONTAL);
  TIFFSetField(file, TIFFTAG_ROWSPERSTRIP, TIFFDefaultStripSize(file, 0));
  if (*description) TIFFSetField(file, TIFFTAG_IMAGEDESCRIPTION, description);
}

namespace {

void readAll(TIFF *file, size_t limit, CMedImage &image) {
  const size_t maximumBytes = plausibleBytes(storedBytes(file), limit);
  const std::vector<tdir_t> directories = describeTIFF(file, image);
  allocate(image, maximumBytes);
  for (size_t i = 0; i < directories.size(); ++i) {
    if (!TIFFSetDirectory(file, directories[i])) fail("page " + std::to_string(i) + " cannot be read");
    readPage(file, TIFFPage(file), image, i, maximumBytes);
  }
}

void writePage(TIFF *file, const CMedImage &image, size_t slice) {
  const auto rowBytes = static_cast<size_t>(image.width * image.channels) * bytesPerElement(image.type);
  const auto height = static_cast<size_t>(image.height);
  // libtiff's predictor works in place, so each row is a copy.
  std::vector<uint8_t> row(rowBytes);
  const auto *source = static_cast<const uint8_t *>(image.data) + slice * height * rowBytes;
  for (size_t y = 0; y < height; ++y) {
    std::memcpy(row.data(), source + y * rowBytes, rowBytes);
    if (TIFFWriteScanline(file, row.data(), static_cast<uint32_t>(y), 0) < 0) fail("a row was not written");
  }
}

}  // namespace

bool CMedTIFFProbe(const char *path, size_t maximumBytes, CMedImage *image, CMedError *error) {
  return guarded(error, [&] {
    std::string reason;
    explaining(reason, [&] {
      *image = emptyImage();
      const TIFFHandle file = openTIFF(path, "r", maximumBytes, &reason);
      describeTIFF(file.get(), *image);
    });
  });
}

bool CMedTIFFRead(const char *path, size_t maximumBytes, CMedImage *image, CMedError *error) {
  return guarded(error, [&] {
    std::string reason;
    explaining(reason, [&] {
      PendingImage pending;
      const TIFFHandle file = openTIFF(path, "r", maximumBytes, &reason);
      readAll(file.get(), maximumBytes, pending.image);
      pending.moveTo(image);
    });
  });
}

bool CMedTIFFWrite(const CMedImage *image, const char *description, const char *path, CMedError *error) {
  return guarded(error, [&] {
    std::string reason;
    if (image->channels != 1 && image->channels != 3) fail("a TIFF takes 1 or 3 channels");
    explaining(reason, [&] {
      const TIFFHandle file = openTIFF(path, "w", SIZE_MAX, &reason);
      for (int64_t slice = 0; slice < image->depth; ++slice) {
        describePage(file.get(), *image, description);
        writePage(file.get(), *image, static_cast<size_t>(slice));
        if (!TIFFWriteDirectory(file.get())) fail("a page was not written");
      }
    });
  });
}
