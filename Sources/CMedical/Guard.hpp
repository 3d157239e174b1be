// What every file of the door shares: the guard at the border, bounded pixel buffers, number conversion.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "CMedical.h"

namespace limn {

/// Runs `body`; an exception becomes the text of `error` and the answer false.
template <class Body>
bool guarded(CMedError *error, Body body) noexcept {
  error->text[0] = 0;
  try {
    body();
    return true;
  } catch (const std::bad_alloc &) {
    std::snprintf(error->text, sizeof error->text, "not enough memory");
  } catch (const std::exception &reason) {
    std::snprintf(error->text, sizeof error->text, "%s", reason.what());
  } catch (...) {
    std::snprintf(error->text, sizeof error->text, "the library failed without a reason");
  }
  for (char *c = error->text; *c; ++c) {
    if (*c == '\n' || *c == '\r') *c = ' ';
  }
  return false;
}

[[noreturn]] inline void fail(const std::string &reason) { throw std::runtime_error(reason); }

inline size_t bytesPerElement(CMedType type) {
  switch (type) {
    case CMedTypeUInt8: return 1;
    case CMedTypeUInt16:
    case CMedTypeInt16: return 2;
    case CMedTypeFloat64: return 8;
    default: return 4;
  }
}

/// The bytes that pixels of a file of `storedBytes` may take: no common compression reaches 4096 to 1 except
/// for small or blank images, so that a small file cannot ask for much.
inline size_t plausibleBytes(size_t storedBytes, size_t maximumBytes) {
  constexpr size_t always = size_t(64) << 20, ratio = 4096;
  const size_t most = storedBytes > maximumBytes / ratio ? maximumBytes : storedBytes * ratio;
  return std::min(maximumBytes, std::max(always, most));
}

/// The product of the image's extents, refused where it is not positive or where `elementBytes` times it
/// exceeds `maximumBytes`.
inline size_t checkedCount(const CMedImage &image, size_t elementBytes, size_t maximumBytes) {
  size_t count = 1;
  for (int64_t extent : {image.channels, image.depth, image.height, image.width}) {
    if (extent <= 0) fail("an extent of " + std::to_string(extent) + ", expected at least 1");
    if (__builtin_mul_overflow(count, static_cast<size_t>(extent), &count)) fail("extents that overflow");
  }
  size_t bytes = 0;
  if (__builtin_mul_overflow(count, elementBytes, &bytes) || bytes > maximumBytes) {
    fail("pixels of " + std::to_string(image.width) + " x " + std::to_string(image.height) + " x " +
         std::to_string(image.depth) + " x " + std::to_string(image.channels) +
         ", more than the limit of " + std::to_string(maximumBytes >> 20) + " MiB for a file of this size");
  }
  return count;
}

/// Gives `image` its buffer, for its extents and type.
inline void allocate(CMedImage &image, size_t maximumBytes) {
  const size_t size = bytesPerElement(image.type);
  image.byteCount = checkedCount(image, size, maximumBytes) * size;
  image.data = std::malloc(image.byteCount);
  if (!image.data) throw std::bad_alloc();
}

inline CMedImage emptyImage() {
  CMedImage image = {};
  image.channels = image.depth = image.height = image.width = image.orientation = 1;
  return image;
}

/// Frees a half-made image when its reader throws.
struct PendingImage {
  CMedImage image = emptyImage();
  ~PendingImage() { CMedImageFree(&image); }
  void moveTo(CMedImage *out) {
    *out = image;
    image.data = nullptr;
  }
};

/// The samples of a JPEG of 8 bits side by side, no colour converted (Jpeg.cpp).
std::vector<uint8_t> decodeJPEGSamples(const std::vector<uint8_t> &code, size_t maximumBytes);

/// Writes `count` elements converted one by one.
template <class From, class To, class Convert>
void convert(const void *from, void *to, size_t count, Convert convertOne) {
  const auto *source = static_cast<const From *>(from);
  auto *target = static_cast<To *>(to);
  for (size_t i = 0; i < count; ++i) target[i] = convertOne(source[i]);
}

}  // namespace limn
