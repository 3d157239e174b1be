// Freeing what crossed the door, the PNG checksum, and the versions behind the door.
#include <gdcmVersion.h>
#include <png.h>
#include <tiffio.h>
#include <zlib.h>

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

uint32_t CMedCRC32(const void *bytes, size_t count) {
  return static_cast<uint32_t>(crc32_z(0, static_cast<const Bytef *>(bytes), count));
}

const char *CMedVersions(void) {
  static const std::string text = [] {
    std::string tiff = TIFFGetVersion();
    tiff = tiff.substr(0, tiff.find('\n'));
    return std::string("GDCM ") + gdcm::Version::GetVersion() + ", " + tiff + ", libpng " + png_get_libpng_ver(nullptr) + ", libjpeg API " + std::to_string(JPEG_LIB_VERSION);
  }();
  return text.c_str();
}
