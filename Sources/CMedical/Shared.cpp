// Freeing what crossed the door, and the versions of the libraries behind it.
#include <gdcmVersion.h>
#include <png.h>
#include <tiffio.h>

#include "Guard.hpp"

#include <jpeglib.h>

void CMedImageFree(CMedImage *image) {
  std::free(image->data);
  image->data = nullptr;
  image->byteCount = 0;
}

void CMedBufferFree(CMedBuffer *buffer) {
  std::free(buffer->bytes);
  buffer->bytes = nullptr;
  buffer->count = 0;
}

const char *CMedVersions(void) {
  static const std::string text = [] {
    std::string tiff = TIFFGetVersion();
    tiff = tiff.substr(0, tiff.find('\n'));
    return std::string("GDCM ") + gdcm::Version::GetVersion() + ", " + tiff + ", libpng " + png_get_libpng_ver(nullptr) + ", libjpeg API " + std::to_string(JPEG_LIB_VERSION);
  }();
  return text.c_str();
}
