// JPEG through libjpeg: gray; YCbCr, CMYK and YCCK as RGB; the EXIF orientation is reported, not applied.
#include <csetjmp>
#include <vector>

#include "Guard.hpp"

#include <jerror.h>
#include <jpeglib.h>

using namespace limn;

namespace {

/// libjpeg leaves by longjmp, so everything with a destructor lives here, outside the frames it jumps over.
struct Session {
  jpeg_error_mgr errors = {};
  std::jmp_buf exit;
  char reason[JMSG_LENGTH_MAX] = "";
  jpeg_decompress_struct reader = {};
  jpeg_compress_struct writer = {};
  unsigned char *output = nullptr;
  unsigned long outputCount = 0;
  PendingImage pending;
  std::vector<uint8_t> ink;
  /// Samples are wanted as they are stored.
  bool isRaw = false;

  ~Session() {
    jpeg_destroy_decompress(&reader);
    jpeg_destroy_compress(&writer);
    std::free(output);
  }
};

void onError(j_common_ptr codec) {
  auto *session = static_cast<Session *>(codec->client_data);
  codec->err->format_message(codec, session->reason);
  std::longjmp(session->exit, 1);
}

/// Missing or damaged data is an error here; libjpeg would fill in gray.
void onMessage(j_common_ptr codec, int level) {
  const int code = codec->err->msg_code;
  const bool isDamaged = code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE ||
                         code == JWRN_MUST_RESYNC;
  if (level < 0 && isDamaged) onError(codec);
}

void prepare(Session &s) {
  s.reader.err = s.writer.err = jpeg_std_error(&s.errors);
  s.errors.error_exit = onError;
  s.errors.emit_message = onMessage;
  s.reader.client_data = s.writer.client_data = &s;
}

uint32_t number(const uint8_t *bytes, int count, bool bigEndian) {
  uint32_t value = 0;
  for (int i = 0; i < count; ++i) {
    value |= static_cast<uint32_t>(bytes[i]) << 8 * (bigEndian ? count - 1 - i : i);
  }
  return value;
}

/// The orientation in the first image directory of an EXIF block, 1 where it has none.
int32_t exifOrientation(const uint8_t *bytes, size_t count) {
  if (count < 14 || std::memcmp(bytes, "Exif\0\0", 6) != 0) return 1;
  const uint8_t *tiff = bytes + 6;
  const size_t size = count - 6;
  const bool big = tiff[0] == 'M';
  const size_t directory = number(tiff + 4, 4, big);
  if (directory > size - 2) return 1;
  const size_t entries = number(tiff + directory, 2, big);
  for (size_t i = 0; i < entries; ++i) {
    const size_t at = directory + 2 + 12 * i;
    if (at + 12 > size) return 1;
    if (number(tiff + at, 2, big) != 0x0112) continue;
    const uint32_t value = number(tiff + at + 8, 2, big);
    return value >= 1 && value <= 8 ? static_cast<int32_t>(value) : 1;
  }
  return 1;
}

/// CMYK stays so until its rows are read: libjpeg has no way from it to RGB.
bool isCMYK(const Session &s) { return s.reader.num_components == 4 && !s.isRaw; }

void describe(Session &s) {
  CMedImage &image = s.pending.image;
  image.width = s.reader.output_width;
  image.height = s.reader.output_height;
  image.channels = isCMYK(s) ? 3 : s.reader.output_components;
  image.type = CMedTypeUInt8;
  image.storedBits = 8;
  for (auto *marker = s.reader.marker_list; marker; marker = marker->next) {
    const int32_t orientation = exifOrientation(marker->data, marker->data_length);
    if (orientation != 1) image.orientation = orientation;
  }
}

/// Ink to light. Adobe's files, as all that occur, hold ink turned round: 255 is none.
void storeInk(const uint8_t *ink, bool isTurned, size_t pixels, uint8_t *target) {
  for (size_t i = 0; i < pixels; ++i) {
    for (size_t c = 0; c < 3; ++c) {
      const int light = isTurned ? ink[4 * i + c] : 255 - ink[4 * i + c];
      const int paper = isTurned ? ink[4 * i + 3] : 255 - ink[4 * i + 3];
      target[3 * i + c] = static_cast<uint8_t>((light * paper + 127) / 255);
    }
  }
}

void readRows(Session &s) {
  const CMedImage &image = s.pending.image;
  const size_t stride = static_cast<size_t>(image.width * image.channels);
  while (s.reader.output_scanline < s.reader.output_height) {
    uint8_t *target = static_cast<uint8_t *>(image.data) + s.reader.output_scanline * stride;
    JSAMPROW row = isCMYK(s) ? s.ink.data() : target;
    jpeg_read_scanlines(&s.reader, &row, 1);
    if (isCMYK(s)) storeInk(s.ink.data(), s.reader.saw_Adobe_marker, s.ink.size() / 4, target);
  }
}

bool readHeader(Session &s, const void *bytes, size_t count) {
  if (setjmp(s.exit)) return false;
  jpeg_create_decompress(&s.reader);
  jpeg_mem_src(&s.reader, static_cast<const unsigned char *>(bytes), static_cast<unsigned long>(count));
  jpeg_save_markers(&s.reader, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(&s.reader, TRUE);
  s.reader.out_color_space = s.isRaw                           ? s.reader.jpeg_color_space
                             : s.reader.num_components == 1 ? JCS_GRAYSCALE
                             : isCMYK(s)                    ? JCS_CMYK
                                                            : JCS_RGB;
  jpeg_calc_output_dimensions(&s.reader);
  describe(s);
  return true;
}

bool readPixels(Session &s, size_t maximumBytes) {
  if (setjmp(s.exit)) return false;
  // Before the start: a progressive file makes libjpeg hold all coefficients.
  allocate(s.pending.image, maximumBytes);
  jpeg_start_decompress(&s.reader);
  if (isCMYK(s)) s.ink.resize(4 * static_cast<size_t>(s.reader.output_width));
  readRows(s);
  jpeg_finish_decompress(&s.reader);
  return true;
}

bool encode(Session &s, const CMedImage &image, int quality, const char *comment) {
  if (setjmp(s.exit)) return false;
  jpeg_create_compress(&s.writer);
  jpeg_mem_dest(&s.writer, &s.output, &s.outputCount);
  s.writer.image_width = static_cast<JDIMENSION>(image.width);
  s.writer.image_height = static_cast<JDIMENSION>(image.height);
  s.writer.input_components = static_cast<int>(image.channels);
  s.writer.in_color_space = image.channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
  jpeg_set_defaults(&s.writer);
  jpeg_set_quality(&s.writer, quality, TRUE);
  jpeg_start_compress(&s.writer, TRUE);
  jpeg_write_marker(
      &s.writer, JPEG_COM, reinterpret_cast<const JOCTET *>(comment),
      static_cast<unsigned>(std::strlen(comment)));
  const size_t stride = static_cast<size_t>(image.width * image.channels);
  while (s.writer.next_scanline < s.writer.image_height) {
    JSAMPROW row = static_cast<uint8_t *>(image.data) + s.writer.next_scanline * stride;
    jpeg_write_scanlines(&s.writer, &row, 1);
  }
  jpeg_finish_compress(&s.writer);
  return true;
}

}  // namespace

std::vector<uint8_t> limn::decodeJPEGSamples(const std::vector<uint8_t> &code, size_t maximumBytes) {
  Session s;
  s.isRaw = true;
  prepare(s);
  if (!readHeader(s, code.data(), code.size()) || !readPixels(s, plausibleBytes(code.size(), maximumBytes))) fail(s.reason);
  const auto *samples = static_cast<const uint8_t *>(s.pending.image.data);
  return std::vector<uint8_t>(samples, samples + s.pending.image.byteCount);
}

bool CMedJPEGProbe(const void *bytes, size_t count, CMedImage *image, CMedError *error) {
  return guarded(error, [&] {
    Session s;
    prepare(s);
    if (!readHeader(s, bytes, count)) fail(s.reason);
    s.pending.moveTo(image);
  });
}

bool CMedJPEGRead(const void *bytes, size_t count, size_t maximumBytes, CMedImage *image, CMedError *error) {
  return guarded(error, [&] {
    Session s;
    prepare(s);
    if (!readHeader(s, bytes, count) || !readPixels(s, plausibleBytes(count, maximumBytes))) fail(s.reason);
    s.pending.moveTo(image);
  });
}

bool CMedJPEGWrite(
    const CMedImage *image, int32_t quality, const char *comment, CMedBuffer *buffer, CMedError *error) {
  return guarded(error, [&] {
    if (image->channels != 1 && image->channels != 3) fail("a JPEG takes 1 or 3 channels");
    if (image->depth != 1 || image->type != CMedTypeUInt8) fail("a JPEG takes one slice of uint8");
    Session s;
    prepare(s);
    if (!encode(s, *image, quality, comment)) fail(s.reason);
    buffer->bytes = s.output;
    buffer->count = s.outputCount;
    s.output = nullptr;
  });
}
