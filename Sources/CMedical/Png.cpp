// PNG through libpng: 8 and 16 bit, palettes expanded, alpha dropped; text chunks when writing.
#include <png.h>

#include <csetjmp>
#include <vector>

#include "Guard.hpp"

using namespace limn;

namespace {

/// libpng leaves by longjmp, so everything with a destructor lives here, outside the frames it jumps over.
struct Session {
  png_structp png = nullptr;
  png_infop info = nullptr;
  bool writing = false;
  std::string reason;
  const uint8_t *bytes = nullptr;
  size_t count = 0, offset = 0;
  std::vector<uint8_t> output;
  std::vector<png_bytep> rows;
  PendingImage pending;

  ~Session() {
    if (writing) {
      png_destroy_write_struct(&png, &info);
    } else {
      png_destroy_read_struct(&png, &info, nullptr);
    }
  }
};

void onError(png_structp png, png_const_charp message) {
  static_cast<Session *>(png_get_error_ptr(png))->reason = message;
  png_longjmp(png, 1);
}

void onWarning(png_structp, png_const_charp) {}

void readBytes(png_structp png, png_bytep target, size_t length) {
  auto *session = static_cast<Session *>(png_get_io_ptr(png));
  if (length > session->count - session->offset) png_error(png, "the file ends too early");
  std::memcpy(target, session->bytes + session->offset, length);
  session->offset += length;
}

void writeBytes(png_structp png, png_bytep source, size_t length) {
  auto *session = static_cast<Session *>(png_get_io_ptr(png));
  bool stored = true;
  try {
    session->output.insert(session->output.end(), source, source + length);
  } catch (...) {
    stored = false;
  }
  if (!stored) png_error(png, "not enough memory");
}

void flush(png_structp) {}

/// Sets the transformations that leave gray or RGB of 8 or 16 bit in host order.
void setExpansion(Session &s) {
  const int depth = png_get_bit_depth(s.png, s.info);
  const int colour = png_get_color_type(s.png, s.info);
  if (colour == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(s.png);
  if (colour == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(s.png);
  png_set_strip_alpha(s.png);
  if (depth == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) png_set_swap(s.png);
  png_set_interlace_handling(s.png);
}

void describe(Session &s) {
  CMedImage &image = s.pending.image;
  image.width = png_get_image_width(s.png, s.info);
  image.height = png_get_image_height(s.png, s.info);
  image.channels = png_get_channels(s.png, s.info);
  image.storedBits = png_get_bit_depth(s.png, s.info);
  image.type = image.storedBits == 16 ? CMedTypeUInt16 : CMedTypeUInt8;
}

void pointRows(Session &s, const CMedImage &image) {
  const size_t stride =
      static_cast<size_t>(image.width * image.channels) * bytesPerElement(image.type);
  s.rows.resize(static_cast<size_t>(image.height));
  auto *data = static_cast<uint8_t *>(image.data);
  for (size_t y = 0; y < s.rows.size(); ++y) s.rows[y] = data + y * stride;
}

void begin(Session &s, const void *bytes, size_t count) {
  s.bytes = static_cast<const uint8_t *>(bytes);
  s.count = count;
  s.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &s, onError, onWarning);
  s.info = s.png ? png_create_info_struct(s.png) : nullptr;
  if (!s.info) throw std::bad_alloc();
}

bool readHeader(Session &s) {
  if (setjmp(png_jmpbuf(s.png))) return false;
  png_set_read_fn(s.png, &s, readBytes);
  png_set_user_limits(s.png, 1 << 20, 1 << 20);
  // Texts, profiles and times are skipped unread: libpng clears what their length claims before it reads them.
  png_set_keep_unknown_chunks(s.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_read_info(s.png, s.info);
  setExpansion(s);
  png_read_update_info(s.png, s.info);
  describe(s);
  return true;
}

bool readPixels(Session &s, size_t maximumBytes) {
  if (setjmp(png_jmpbuf(s.png))) return false;
  allocate(s.pending.image, plausibleBytes(s.count, maximumBytes));
  pointRows(s, s.pending.image);
  png_read_image(s.png, s.rows.data());
  png_read_end(s.png, nullptr);
  return true;
}

bool encode(Session &s, const CMedImage &image, std::vector<png_text> &texts) {
  if (setjmp(png_jmpbuf(s.png))) return false;
  png_set_write_fn(s.png, &s, writeBytes, flush);
  png_set_IHDR(
      s.png, s.info, static_cast<png_uint_32>(image.width), static_cast<png_uint_32>(image.height),
      image.type == CMedTypeUInt16 ? 16 : 8, image.channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
      PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!texts.empty()) png_set_text(s.png, s.info, texts.data(), static_cast<int>(texts.size()));
  png_write_info(s.png, s.info);
  if (image.type == CMedTypeUInt16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) png_set_swap(s.png);
  png_write_image(s.png, s.rows.data());
  png_write_end(s.png, nullptr);
  return true;
}

std::vector<png_text> pngTexts(const CMedText *texts, size_t count) {
  std::vector<png_text> result(count);
  for (size_t i = 0; i < count; ++i) {
    result[i].compression = PNG_TEXT_COMPRESSION_NONE;
    result[i].key = const_cast<char *>(texts[i].key);
    result[i].text = const_cast<char *>(texts[i].value);
    result[i].text_length = std::strlen(texts[i].value);
  }
  return result;
}

void check(const CMedImage &image) {
  if (image.channels != 1 && image.channels != 3) fail("a PNG takes 1 or 3 channels");
  if (image.depth != 1) fail("a PNG takes one slice");
  if (image.type != CMedTypeUInt8 && image.type != CMedTypeUInt16) fail("a PNG takes uint8 or uint16");
}

}  // namespace

bool CMedPNGProbe(const void *bytes, size_t count, CMedImage *image, CMedError *error) {
  return guarded(error, [&] {
    Session s;
    begin(s, bytes, count);
    if (!readHeader(s)) fail(s.reason);
    s.pending.moveTo(image);
  });
}

bool CMedPNGRead(const void *bytes, size_t count, size_t maximumBytes, CMedImage *image, CMedError *error) {
  return guarded(error, [&] {
    Session s;
    begin(s, bytes, count);
    if (!readHeader(s) || !readPixels(s, maximumBytes)) fail(s.reason);
    s.pending.moveTo(image);
  });
}

bool CMedPNGWrite(
    const CMedImage *image, const CMedText *texts, size_t textCount, CMedBuffer *buffer, CMedError *error) {
  return guarded(error, [&] {
    check(*image);
    Session s;
    s.writing = true;
    s.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &s, onError, onWarning);
    s.info = s.png ? png_create_info_struct(s.png) : nullptr;
    if (!s.info) throw std::bad_alloc();
    pointRows(s, *image);
    std::vector<png_text> chunks = pngTexts(texts, textCount);
    if (!encode(s, *image, chunks)) fail(s.reason);
    buffer->bytes = static_cast<uint8_t *>(std::malloc(s.output.size()));
    if (!buffer->bytes) throw std::bad_alloc();
    buffer->count = s.output.size();
    std::memcpy(buffer->bytes, s.output.data(), buffer->count);
  });
}
