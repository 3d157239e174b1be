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

#define CMED_TEXT(value) #value
#define CMED_VALUE(macro) CMED_TEXT(macro)

const char *CMedVersions(void) {
#ifdef LIBJPEG_TURBO_VERSION
  static const char jpeg[] = "libjpeg-turbo " CMED_VALUE(LIBJPEG_TURBO_VERSION);
#else
  static const char jpeg[] = "libjpeg " CMED_VALUE(JPEG_LIB_VERSION);
#endif
  static const std::string text = [] {
    // "LIBTIFF, Version 4.5.0", then lines of copyright.
    std::string tiff = TIFFGetVersion();
    tiff = tiff.substr(0, tiff.find('\n'));
    tiff = tiff.substr(tiff.rfind(' ') + 1);
    return std::string("GDCM ") + gdcm::Version::GetVersion() + ", libtiff " + tiff + ", libpng " +
           png_get_libpng_ver(nullptr) + ", " + jpeg;
  }();
  return text.c_str();
}
