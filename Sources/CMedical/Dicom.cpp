// DICOM pixels: native samples unpacked, run lengths undone, common JPEG decoded by libjpeg, other JPEG, JPEG-LS
// and JPEG 2000 by GDCM, one frame at a time. What leaves is stored values, before any rescaling; colours are RGB.
#include <gdcmFragment.h>
#include <gdcmImage.h>
#include <gdcmSequenceOfFragments.h>
#include <gdcmTrace.h>
#include <zlib.h>

#include <algorithm>
#include <vector>

#include "Guard.hpp"

using namespace limn;

namespace {

using Bytes = std::vector<uint8_t>;

void quiet() {
  static const bool done = [] {
    gdcm::Trace::DebugOff();
    gdcm::Trace::WarningOff();
    gdcm::Trace::ErrorOff();
    return true;
  }();
  (void)done;
}

bool isNative(const std::string &syntax) {
  return syntax == "1.2.840.10008.1.2" || syntax == "1.2.840.10008.1.2.1" ||
         syntax == "1.2.840.10008.1.2.1.99" || syntax == "1.2.840.10008.1.2.2" || syntax.empty();
}

bool isRLE(const std::string &syntax) { return syntax == "1.2.840.10008.1.2.5"; }

/// What a frame is made of.
struct Frame {
  int64_t pixels = 0;
  size_t samples = 0, bytes = 0;
  explicit Frame(const CMedDicomFormat &format)
      : pixels(format.rows * format.columns),
        samples(static_cast<size_t>(pixels * format.samples)),
        bytes(samples * static_cast<size_t>(std::max(format.bitsAllocated, 8) / 8)) {}
};

// Run lengths (PS3.5, annex G).

uint32_t littleEndian(const uint8_t *bytes) {
  return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | static_cast<uint32_t>(bytes[3]) << 24;
}

/// One segment, a byte of each sample, to every `stride`th byte of `target`.
void unpackRuns(const uint8_t *at, const uint8_t *end, uint8_t *target, size_t count, size_t stride) {
  size_t done = 0;
  while (done < count) {
    if (at >= end) fail("run lengths that end before their frame");
    const int code = static_cast<int8_t>(*at++);
    if (code == -128) continue;
    const auto length = std::min<size_t>(static_cast<size_t>(std::abs(code)) + 1, count - done);
    const bool repeats = code < 0;
    if (static_cast<size_t>(end - at) < (repeats ? 1 : length)) fail("run lengths that end before their frame");
    for (size_t i = 0; i < length; ++i) target[(done + i) * stride] = repeats ? *at : at[i];
    at += repeats ? 1 : static_cast<size_t>(code) + 1;
    done += length;
    if (at > end) break;
  }
}

Bytes decodeRLE(const CMedDicomFormat &format, const Bytes &code) {
  const Frame frame(format);
  const auto width = static_cast<size_t>(format.bitsAllocated / 8);
  const size_t segments = static_cast<size_t>(format.samples) * width;
  if (code.size() < 64 || littleEndian(code.data()) != segments || segments > 15) {
    fail("run lengths without the expected " + std::to_string(segments) + " segments");
  }
  // Two bytes stand for 128 at most.
  if (code.size() < frame.bytes / 64) fail("run lengths that end before their frame");
  Bytes result(frame.bytes);
  for (size_t s = 0; s < segments; ++s) {
    const size_t start = littleEndian(code.data() + 4 + 4 * s);
    const size_t stop = s + 1 < segments ? littleEndian(code.data() + 8 + 4 * s) : code.size();
    if (start < 64 || stop > code.size() || start > stop) fail("run lengths outside their fragment");
    // Segments go from the most significant byte down, sample by sample.
    uint8_t *target = result.data() + s / width * width + (width - 1 - s % width);
    unpackRuns(code.data() + start, code.data() + stop, target, static_cast<size_t>(frame.pixels), segments);
  }
  return result;
}

// Compressed frames.

gdcm::TransferSyntax::TSType codec(const std::string &syntax) {
  // High-throughput JPEG 2000 differs in its block coder only, which OpenJPEG knows.
  if (syntax.rfind("1.2.840.10008.1.2.4.20", 0) == 0) return gdcm::TransferSyntax::JPEG2000;
  const gdcm::TransferSyntax::TSType type = gdcm::TransferSyntax::GetTSType(syntax.c_str());
  const bool isVideo = type == gdcm::TransferSyntax::MPEG2MainProfile ||
                       type == gdcm::TransferSyntax::MPEG2MainProfileHighLevel ||
                       type == gdcm::TransferSyntax::MPEG4AVCH264HighProfileLevel4_1 ||
                       type == gdcm::TransferSyntax::MPEG4AVCH264BDcompatibleHighProfileLevel4_1;
  if (type == gdcm::TransferSyntax::TS_END || isVideo) {
    fail("pixels in transfer syntax " + syntax + ", which GDCM does not decode");
  }
  return type;
}

uint32_t bigEndian(const Bytes &code, size_t at, size_t width) {
  if (at + width > code.size()) fail("a compressed frame that ends inside its header");
  uint32_t value = 0;
  for (size_t i = 0; i < width; ++i) value = value << 8 | code[at + i];
  return value;
}

/// What a compressed frame says of itself.
struct Stream {
  uint32_t width, height, components, precision;
  /// Baseline, extended or progressive JPEG of 8 bits, which libjpeg reads.
  bool isCommonJPEG;
};

/// The frame header of JPEG and JPEG-LS (ISO 10918-1, B.2.2).
Stream describeJPEG(const Bytes &code) {
  size_t at = 2;
  while (true) {
    const uint32_t marker = bigEndian(code, at, 2);
    if (marker == 0xFFFF) {
      ++at;
      continue;
    }
    if (marker < 0xFFC0) fail("a compressed frame without a header");
    const bool isTable = marker == 0xFFC4 || marker == 0xFFC8 || marker == 0xFFCC;
    if ((marker <= 0xFFCF && !isTable) || marker == 0xFFF7) {
      const uint32_t precision = bigEndian(code, at + 4, 1);
      return {bigEndian(code, at + 7, 2), bigEndian(code, at + 5, 2), bigEndian(code, at + 9, 1), precision,
              marker <= 0xFFC2 && precision == 8};
    }
    at += 2 + bigEndian(code, at + 2, 2);
  }
}

/// JPEG 2000's image and tile size marker (ISO 15444-1, A.5.1), in a box or bare.
Stream describeJPEG2000(const Bytes &code) {
  const uint8_t mark[] = {0xFF, 0x4F, 0xFF, 0x51};
  const auto found = std::search(code.begin(), code.end(), mark, mark + sizeof mark);
  if (found == code.end()) fail("a compressed frame without a header");
  const auto at = static_cast<size_t>(found - code.begin());
  return {bigEndian(code, at + 8, 4) - bigEndian(code, at + 16, 4),
          bigEndian(code, at + 12, 4) - bigEndian(code, at + 20, 4), bigEndian(code, at + 40, 2),
          (bigEndian(code, at + 42, 1) & 0x7F) + 1, false};
}

/// Decoders trust the data set or the stream; where those contradict each other, neither is.
Stream checkedStream(const CMedDicomFormat &format, const Bytes &code) {
  const bool isJPEG = code.size() > 3 && code[0] == 0xFF && code[1] == 0xD8;
  const Stream stream = isJPEG ? describeJPEG(code) : describeJPEG2000(code);
  const bool fits = stream.width == format.columns && stream.height == format.rows &&
                    stream.components == format.samples;
  const bool isDeep = stream.precision > 8;
  const auto bits = static_cast<uint32_t>(format.bitsAllocated);
  if (!fits || stream.precision > bits || (isJPEG && isDeep != (bits > 8))) {
    fail("a compressed frame of " + std::to_string(stream.width) + " x " + std::to_string(stream.height) + " x " +
         std::to_string(stream.components) + " samples of " + std::to_string(stream.precision) +
         " bits, which is not what the data set says");
  }
  return stream;
}

/// GDCM ends the process where the interpretation and the count of samples contradict each other.
gdcm::PhotometricInterpretation photometric(const CMedDicomFormat &format) {
  if (format.samples == 1) return gdcm::PhotometricInterpretation::MONOCHROME2;
  for (const char *known : {"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT", "YBR_ICT"}) {
    if (format.samples == 3 && std::strcmp(format.photometric, known) == 0) {
      return gdcm::PhotometricInterpretation(gdcm::PhotometricInterpretation::GetPIType(known));
    }
  }
  fail(std::to_string(format.samples) + " samples a pixel as '" + format.photometric + "', expected RGB or YBR");
}

Bytes decodeWithGDCM(const CMedDicomFormat &format, const Bytes &code) {
  quiet();
  gdcm::SmartPointer<gdcm::SequenceOfFragments> fragments = new gdcm::SequenceOfFragments;
  gdcm::Fragment fragment;
  fragment.SetByteValue(
      reinterpret_cast<const char *>(code.data()), gdcm::VL(static_cast<uint32_t>(code.size())));
  fragments->AddFragment(fragment);
  gdcm::DataElement element(gdcm::Tag(0x7fe0, 0x0010));
  element.SetVR(gdcm::VR::OB);
  element.SetValue(*fragments);
  gdcm::Image image;
  image.SetNumberOfDimensions(2);
  image.SetDimension(0, static_cast<unsigned>(format.columns));
  image.SetDimension(1, static_cast<unsigned>(format.rows));
  image.SetTransferSyntax(codec(format.transferSyntax));
  image.SetPixelFormat(gdcm::PixelFormat(
      static_cast<uint16_t>(format.samples), static_cast<uint16_t>(format.bitsAllocated),
      static_cast<uint16_t>(format.bitsStored), static_cast<uint16_t>(format.bitsStored - 1), format.isSigned));
  image.SetPhotometricInterpretation(photometric(format));
  image.SetDataElement(element);
  const Frame frame(format);
  if (image.GetBufferLength() < frame.bytes) fail("pixels of an unexpected length");
  Bytes result(std::max<size_t>(image.GetBufferLength(), frame.bytes));
  if (!image.GetBuffer(reinterpret_cast<char *>(result.data()))) fail("pixels that cannot be decoded");
  result.resize(frame.bytes);
  return result;
}

// Native pixels.

/// Bits, the first in the lowest place, to bytes of 0 and 1.
Bytes unpackBits(const uint8_t *bits, size_t first, size_t count) {
  Bytes result(count);
  for (size_t i = 0; i < count; ++i) result[i] = bits[(first + i) / 8] >> (first + i) % 8 & 1;
  return result;
}

/// Two pixels share their colour: Y, Y, Cb, Cr to two triples.
Bytes widen422(const uint8_t *pairs, size_t pixels) {
  Bytes result(3 * pixels);
  for (size_t i = 0; i < pixels; ++i) {
    const uint8_t *pair = pairs + i / 2 * 4;
    result[3 * i] = pair[i % 2];
    result[3 * i + 1] = pair[2];
    result[3 * i + 2] = pair[3];
  }
  return result;
}

void swapBytes(Bytes &bytes, size_t width) {
  for (size_t i = 0; i + width <= bytes.size(); i += width) std::reverse(&bytes[i], &bytes[i] + width);
}

bool isHalved(const CMedDicomFormat &format) {
  return format.samples == 3 && std::strcmp(format.photometric, "YBR_FULL_422") == 0;
}

/// `count` bytes from `first` on; bytes stored as big-endian words change places in each pair.
Bytes copied(const CMedDicomFormat &format, const CMedFragment &all, size_t first, size_t count) {
  const auto *source = static_cast<const uint8_t *>(all.bytes);
  if (!format.isWordSwapped) return Bytes(source + first, source + first + count);
  Bytes result(count);
  for (size_t i = 0; i < count; ++i) result[i] = source[std::min((first + i) ^ 1, all.count - 1)];
  return result;
}

Bytes nativeFrame(const CMedDicomFormat &format, const CMedFragment &all, int64_t index) {
  const Frame frame(format);
  const auto place = static_cast<size_t>(index), pixels = static_cast<size_t>(frame.pixels);
  if (format.bitsAllocated == 1) {
    const size_t first = frame.samples * place, last = first + frame.samples;
    if ((last + 7) / 8 > all.count) fail("fewer pixels than rows and columns ask for");
    return unpackBits(copied(format, all, first / 8, (last + 7) / 8 - first / 8).data(), first % 8, frame.samples);
  }
  const bool halved = isHalved(format) && all.count < frame.bytes * static_cast<size_t>(format.frames);
  const size_t stored = halved ? 2 * pixels : frame.bytes;
  if (stored * (place + 1) > all.count) fail("fewer pixels than rows and columns ask for");
  Bytes result = copied(format, all, stored * place, stored);
  if (halved) return widen422(result.data(), pixels);
  const auto width = static_cast<size_t>(format.bitsAllocated / 8);
  if (format.isBigEndian && width > 1) swapBytes(result, width);
  return result;
}

/// Colour planes to samples side by side.
void joinPlanes(const CMedDicomFormat &format, Bytes &raw) {
  if (!format.isPlanar || format.samples < 2) return;
  const Frame frame(format);
  const auto width = static_cast<size_t>(format.bitsAllocated / 8);
  const auto samples = static_cast<size_t>(format.samples), pixels = static_cast<size_t>(frame.pixels);
  const Bytes planes = raw;
  for (size_t s = 0; s < samples; ++s) {
    for (size_t i = 0; i < pixels; ++i) {
      std::memcpy(&raw[(i * samples + s) * width], &planes[(s * pixels + i) * width], width);
    }
  }
}

Bytes encapsulatedFrame(
    const CMedDicomFormat &format, const CMedFragment *fragments, size_t count, int64_t index) {
  Bytes code;
  for (size_t i = 0; i < count; ++i) {
    const auto *bytes = static_cast<const uint8_t *>(fragments[i].bytes);
    if (fragments[i].frame == index) code.insert(code.end(), bytes, bytes + fragments[i].count);
  }
  if (format.bitsAllocated % 8 != 0) fail("compressed bits, expected whole bytes");
  if (code.empty()) fail("frame " + std::to_string(index + 1) + " without pixels");
  if (isRLE(format.transferSyntax)) return decodeRLE(format, code);
  if (!checkedStream(format, code).isCommonJPEG) return decodeWithGDCM(format, code);
  Bytes samples = decodeJPEGSamples(code, SIZE_MAX);
  if (samples.size() != Frame(format).bytes) fail("pixels of an unexpected length");
  return samples;
}

// Stored samples to values.

/// Keeps the stored bits alone: the others may hold overlays.
template <class Sample>
void clean(const CMedDicomFormat &format, Bytes &raw) {
  using Unsigned = std::make_unsigned_t<Sample>;
  const int width = 8 * int(sizeof(Sample));
  const int left = width - 1 - format.highBit, right = width - format.bitsStored;
  if (left < 0 || right <= 0 || left > right) return;
  auto *samples = reinterpret_cast<Unsigned *>(raw.data());
  for (size_t i = 0; i < raw.size() / sizeof(Sample); ++i) {
    const auto shifted = static_cast<Unsigned>(samples[i] << left);
    samples[i] = format.isSigned ? static_cast<Unsigned>(static_cast<std::make_signed_t<Sample>>(shifted) >> right)
                                 : static_cast<Unsigned>(shifted >> right);
  }
}

void cleanAny(const CMedDicomFormat &format, Bytes &raw) {
  if (format.isFloat || format.bitsAllocated == 1) return;
  switch (format.bitsAllocated) {
    case 8: return clean<uint8_t>(format, raw);
    case 16: return clean<uint16_t>(format, raw);
    default: return clean<uint32_t>(format, raw);
  }
}

CMedType outputType(const CMedDicomFormat &format) {
  if (format.isFloat && format.bitsAllocated == 32) return CMedTypeFloat32;
  if (format.isFloat && format.bitsAllocated == 64) return CMedTypeFloat64;
  switch (format.isFloat ? 0 : format.bitsAllocated) {
    case 1: return CMedTypeUInt8;
    case 8: return format.isSigned ? CMedTypeInt16 : CMedTypeUInt8;
    case 16: return format.isSigned ? CMedTypeInt16 : CMedTypeUInt16;
    case 32: return format.isSigned ? CMedTypeInt32 : CMedTypeFloat64;
    default:
      fail("samples of " + std::to_string(format.bitsAllocated) + " bits, expected 1, 8, 16, 32 or floats");
  }
}

void store(const CMedDicomFormat &format, const Bytes &raw, void *target, size_t count) {
  if (!format.isFloat && format.isSigned && format.bitsAllocated == 8) {
    convert<int8_t, int16_t>(raw.data(), target, count, [](int8_t v) { return v; });
  } else if (!format.isFloat && !format.isSigned && format.bitsAllocated == 32) {
    convert<uint32_t, double>(raw.data(), target, count, [](uint32_t v) { return v; });
  } else {
    std::memcpy(target, raw.data(), raw.size());
  }
}

uint8_t byte(double value) { return static_cast<uint8_t>(std::clamp(std::lround(value), 0L, 255L)); }

/// YBR_FULL to RGB in place (PS3.3 C.7.6.3.1.2); JPEG 2000's own transforms are undone by its decoder.
void toRGB(const CMedDicomFormat &format, Bytes &raw) {
  const std::string kind = format.photometric;
  if (format.samples != 3 || kind.rfind("YBR", 0) != 0 || kind == "YBR_RCT" || kind == "YBR_ICT") return;
  if (kind != "YBR_FULL" && kind != "YBR_FULL_422") fail("colours as " + kind + ", expected RGB or YBR_FULL");
  if (format.bitsAllocated != 8) fail("YBR colours of more than 8 bits");
  for (size_t i = 0; i + 2 < raw.size(); i += 3) {
    const double y = raw[i], blue = raw[i + 1] - 128.0, red = raw[i + 2] - 128.0;
    raw[i] = byte(y + 1.402 * red);
    raw[i + 1] = byte(y - 0.114 * 1.772 / 0.587 * blue - 0.299 * 1.402 / 0.587 * red);
    raw[i + 2] = byte(y + 1.772 * blue);
  }
}

void describe(const CMedDicomFormat &format, CMedImage &image) {
  image.width = format.columns;
  image.height = format.rows;
  image.depth = format.frames;
  image.channels = format.samples;
  image.type = outputType(format);
  image.storedBits = format.bitsStored;
  if (format.samples != 1 && format.samples != 3 && format.samples != 4) {
    fail(std::to_string(format.samples) + " samples a pixel, expected 1, 3 or 4");
  }
  if (format.bitsStored < 1 || format.bitsStored > format.bitsAllocated) fail("more bits stored than allocated");
}

void decode(const CMedDicomFormat &format, const CMedFragment *fragments, size_t count, CMedImage &image) {
  const Frame frame(format);
  const bool native = isNative(format.transferSyntax);
  if (count == 0) fail("an image without pixels");
  for (int64_t index = 0; index < format.frames; ++index) {
    Bytes raw = native ? nativeFrame(format, fragments[0], index)
                       : encapsulatedFrame(format, fragments, count, index);
    if (native) joinPlanes(format, raw);
    cleanAny(format, raw);
    toRGB(format, raw);
    const size_t offset = static_cast<size_t>(index) * frame.samples * bytesPerElement(image.type);
    store(format, raw, static_cast<uint8_t *>(image.data) + offset, frame.samples);
  }
}

size_t storedBytes(const CMedFragment *fragments, size_t count) {
  size_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += fragments[i].count;
  return sum;
}

/// zlib's stream, ended with its scope.
struct Inflater {
  z_stream stream = {};
  Inflater() {
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream); }
};

void inflateAll(const void *bytes, size_t count, size_t maximumBytes, Bytes &result) {
  Inflater inflater;
  z_stream &stream = inflater.stream;
  stream.next_in = static_cast<Bytef *>(const_cast<void *>(bytes));
  stream.avail_in = static_cast<uInt>(std::min<size_t>(count, UINT32_MAX));
  int status = Z_OK;
  Bytes step(1 << 16);
  while (status == Z_OK) {
    stream.next_out = step.data();
    stream.avail_out = static_cast<uInt>(step.size());
    status = inflate(&stream, Z_NO_FLUSH);
    const size_t got = step.size() - stream.avail_out;
    if (got > maximumBytes - result.size()) fail("a deflated data set beyond the limit");
    result.insert(result.end(), step.begin(), step.begin() + static_cast<ptrdiff_t>(got));
  }
  if (status != Z_STREAM_END) fail("a deflated data set that is cut short or damaged");
}

}  // namespace

bool CMedDicomDecode(
    const CMedDicomFormat *format, const CMedFragment *fragments, size_t count, size_t maximumBytes,
    CMedImage *image, CMedError *error) {
  return guarded(error, [&] {
    PendingImage pending;
    describe(*format, pending.image);
    allocate(pending.image, plausibleBytes(storedBytes(fragments, count), maximumBytes));
    decode(*format, fragments, count, pending.image);
    pending.moveTo(image);
  });
}

bool CMedInflate(const void *bytes, size_t count, size_t maximumBytes, CMedBuffer *buffer, CMedError *error) {
  return guarded(error, [&] {
    Bytes result;
    inflateAll(bytes, count, maximumBytes, result);
    buffer->bytes = static_cast<uint8_t *>(std::malloc(std::max<size_t>(result.size(), 1)));
    if (!buffer->bytes) throw std::bad_alloc();
    std::memcpy(buffer->bytes, result.data(), result.size());
    buffer->count = result.size();
  });
}
