// What reading whole TIFFs and regions of them share: opening with bounds, and what a page says of itself.
#pragma once

#include <tiffio.h>

#include <memory>
#include <string>
#include <vector>

#include "Guard.hpp"

namespace limn {

struct TIFFCloser {
  void operator()(TIFF *file) const { TIFFClose(file); }
};
using TIFFHandle = std::unique_ptr<TIFF, TIFFCloser>;

/// Opens `path` with errors going to `reason`, which must outlive the file, and libtiff's own allocations bounded.
TIFFHandle openTIFF(const char *path, const char *mode, size_t maximumBytes, std::string *reason);

/// What one page (image file directory) says of itself.
struct TIFFPage {
  uint32_t width = 0, height = 0, kind = 0;
  uint16_t bits = 1, samples = 1, format = SAMPLEFORMAT_UINT, planar = PLANARCONFIG_CONTIG;
  uint16_t photometric = PHOTOMETRIC_MINISBLACK;

  TIFFPage() = default;
  explicit TIFFPage(TIFF *file);

  bool isThumbnail() const { return kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK); }

  /// Palettes, YCbCr and bit maps go through libtiff's own conversion to 8-bit RGBA.
  bool needsRGBA() const { return isConverted() || bits < 8; }

  bool isConverted() const {
    return photometric == PHOTOMETRIC_PALETTE || photometric == PHOTOMETRIC_YCBCR ||
           (photometric == PHOTOMETRIC_SEPARATED && bits == 8);
  }

  bool operator==(const TIFFPage &other) const;

  CMedType type() const;

  /// Channels that leave the door: alpha and other extra samples are dropped.
  int64_t channels() const;

  /// Times that the page is stored, once for each channel where these lie apart.
  size_t planes() const { return planar == PLANARCONFIG_CONTIG ? 1 : static_cast<size_t>(channels()); }

  /// White-is-zero turned round; only unsigned samples have an agreed meaning of it.
  void invert(uint8_t *samples, size_t bytes) const;
};

/// A rectangle of a page.
struct TIFFWindow {
  uint32_t x, y, width, height;
  uint32_t right() const { return x + width; }
  uint32_t bottom() const { return y + height; }
};

/// Copies what decoded blocks (rows or tiles) of a page hold of a window into place, [height, width, channels].
struct TIFFPlacer {
  const TIFFPage &page;
  TIFFWindow window;
  uint8_t *target;
  size_t sampleBytes, channels;

  void place(const uint8_t *block, uint32_t x0, uint32_t y0, uint32_t blockWidth, uint32_t rows,
             size_t plane) const;
};

/// Decodes the tiles that a window touches.
void readTIFFTiles(TIFF *file, const TIFFPlacer &placer, std::vector<uint8_t> &block);

/// Memory for one decoded tile or row, refused beyond the limit.
std::vector<uint8_t> blockOf(TIFF *file, size_t maximumBytes);

/// Fills in all but the pixels; the answer is where the pages lie.
std::vector<tdir_t> describeTIFF(TIFF *file, CMedImage &image);

/// The size of the file.
size_t storedBytes(TIFF *file);

/// Says what a page that will be written holds: deflated, with a predictor.
void describePage(TIFF *file, const CMedImage &image, const char *description);

/// Runs `body`; libtiff's own words, where it has some, go before ours.
template <class Body>
void explaining(const std::string &reason, Body body) {
  try {
    body();
  } catch (const std::runtime_error &error) {
    if (reason.empty()) throw;
    fail(reason);
  }
}

}  // namespace limn
