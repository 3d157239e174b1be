// DICOM through GDCM: one file's pixels as stored values (before rescaling), and the header that places them.
#include <gdcmAttribute.h>
#include <gdcmImageApplyLookupTable.h>
#include <gdcmImageChangePlanarConfiguration.h>
#include <gdcmImageHelper.h>
#include <gdcmImageReader.h>
#include <gdcmReader.h>
#include <gdcmStringFilter.h>
#include <gdcmTrace.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <vector>

#include "Guard.hpp"

using namespace limn;

namespace {

void quiet() {
  static const bool done = [] {
    gdcm::Trace::DebugOff();
    gdcm::Trace::WarningOff();
    gdcm::Trace::ErrorOff();
    return true;
  }();
  (void)done;
}

/// A file that remembers whether a value was longer than what was left: GDCM would fill the rest with zeros.
class WatchedFile : public std::filebuf {
 public:
  bool isCut = false;

  explicit WatchedFile(const char *path) {
    if (!open(path, std::ios::in | std::ios::binary)) fail("the file cannot be opened");
  }

 protected:
  std::streamsize xsgetn(char *target, std::streamsize count) override {
    const std::streamsize got = std::filebuf::xsgetn(target, count);
    // GDCM finds the end of a complete file by asking for one more tag.
    if (got < count && count > 8) isCut = true;
    return got;
  }
};

/// The element's text without the padding DICOM allows at either end.
std::string text(const gdcm::DataSet &data, gdcm::Tag tag) {
  if (!data.FindDataElement(tag)) return "";
  const gdcm::ByteValue *value = data.GetDataElement(tag).GetByteValue();
  if (!value) return "";
  std::string result(value->GetPointer(), value->GetLength());
  const char *padding = " \0";
  const std::string pads(padding, 2);
  const size_t first = result.find_first_not_of(pads);
  if (first == std::string::npos) return "";
  return result.substr(first, result.find_last_not_of(pads) - first + 1);
}

template <size_t N>
void copyText(char (&target)[N], const gdcm::DataSet &data, gdcm::Tag tag) {
  std::snprintf(target, N, "%s", text(data, tag).c_str());
}

/// Backslash-separated decimal numbers; where there are fewer than `count`, `target` stays as it is.
bool numbers(const std::string &line, double *target, int count) {
  std::vector<double> found;
  const char *at = line.c_str();
  for (int i = 0; i < count; ++i) {
    char *end = nullptr;
    found.push_back(std::strtod(at, &end));
    if (end == at || !std::isfinite(found.back())) return false;
    at = end;
    while (*at == ' ' || *at == '\\') ++at;
  }
  std::copy(found.begin(), found.end(), target);
  return true;
}

/// The value of a US element, 0 where there is none.
int64_t unsignedShort(const gdcm::DataSet &data, gdcm::Tag tag) {
  if (!data.FindDataElement(tag)) return 0;
  const gdcm::ByteValue *value = data.GetDataElement(tag).GetByteValue();
  if (!value || value->GetLength() < 2) return 0;
  uint16_t number = 0;
  std::memcpy(&number, value->GetPointer(), sizeof number);
  return number;
}

void describeTexts(const gdcm::DataSet &data, CMedDicomHeader *header) {
  copyText(header->patientID, data, {0x0010, 0x0020});
  copyText(header->studyUID, data, {0x0020, 0x000d});
  copyText(header->seriesUID, data, {0x0020, 0x000e});
  copyText(header->instanceUID, data, {0x0008, 0x0018});
  copyText(header->modality, data, {0x0008, 0x0060});
  copyText(header->photometric, data, {0x0028, 0x0004});
  copyText(header->rescaleType, data, {0x0028, 0x1054});
  header->instanceNumber = std::strtoll(text(data, {0x0020, 0x0013}).c_str(), nullptr, 10);
}

/// Spacing is stored as between rows, then between columns: y before x.
void describeSpacing(const gdcm::DataSet &data, CMedDicomHeader *header) {
  double pair[2] = {1, 1};
  header->hasSpacing = numbers(text(data, {0x0028, 0x0030}), pair, 2) ||
                       numbers(text(data, {0x0018, 0x1164}), pair, 2);
  header->spacing[0] = header->hasSpacing ? pair[1] : 1;
  header->spacing[1] = header->hasSpacing ? pair[0] : 1;
  header->spacing[2] = 1;
  numbers(text(data, {0x0018, 0x0088}), &header->spacing[2], 1) ||
      numbers(text(data, {0x0018, 0x0050}), &header->spacing[2], 1);
}

void describe(const gdcm::File &file, CMedDicomHeader *header) {
  const gdcm::DataSet &data = file.GetDataSet();
  *header = {};
  describeTexts(data, header);
  describeSpacing(data, header);
  header->rows = unsignedShort(data, {0x0028, 0x0010});
  header->columns = unsignedShort(data, {0x0028, 0x0011});
  const std::string frames = text(data, {0x0028, 0x0008});
  header->frames = frames.empty() ? 1 : std::strtoll(frames.c_str(), nullptr, 10);
  header->hasPosition = numbers(text(data, {0x0020, 0x0032}), header->position, 3);
  header->hasOrientation = numbers(text(data, {0x0020, 0x0037}), header->orientation, 6);
  header->slope = 1;
  const bool rescaled = numbers(text(data, {0x0028, 0x1053}), &header->slope, 1) &&
                        numbers(text(data, {0x0028, 0x1052}), &header->intercept, 1);
  if (!rescaled || header->slope == 0) {
    header->slope = 1;
    header->intercept = 0;
  }
  std::snprintf(header->transferSyntax, sizeof header->transferSyntax, "%s",
                file.GetHeader().GetDataSetTransferSyntax().GetString());
}

/// Enhanced multi-frame files keep their geometry in functional groups, which GDCM gathers.
void describeFromImage(const gdcm::Image &image, CMedDicomHeader *header) {
  if (header->hasPosition && header->hasOrientation && header->frames <= 1) return;
  if (!image.GetOrigin() || !image.GetDirectionCosines() || !image.GetSpacing()) return;
  if (header->frames <= 1) return;
  for (unsigned i = 0; i < 3; ++i) header->position[i] = image.GetOrigin(i);
  for (unsigned i = 0; i < 6; ++i) header->orientation[i] = image.GetDirectionCosines(i);
  for (unsigned i = 0; i < 3; ++i) header->spacing[i] = image.GetSpacing(i);
  header->hasPosition = header->hasOrientation = header->hasSpacing = true;
  header->slope = image.GetSlope();
  header->intercept = image.GetIntercept();
}

/// Palettes applied, colour samples brought together.
struct Colours {
  gdcm::ImageApplyLookupTable palette;
  gdcm::ImageChangePlanarConfiguration planes;

  const gdcm::Image &normalised(const gdcm::Image &image) {
    const gdcm::Image *current = &image;
    if (current->GetPhotometricInterpretation() == gdcm::PhotometricInterpretation::PALETTE_COLOR) {
      palette.SetInput(*current);
      if (!palette.Apply()) fail("a palette that cannot be applied");
      current = &palette.GetOutput();
    }
    const bool isSplit =
        current->GetPixelFormat().GetSamplesPerPixel() > 1 && current->GetPlanarConfiguration() != 0;
    if (!isSplit) return *current;
    planes.SetInput(*current);
    planes.SetPlanarConfiguration(0);
    if (!planes.Change()) fail("colour planes that cannot be joined");
    return planes.GetOutput();
  }
};

uint8_t byte(double value) { return static_cast<uint8_t>(std::clamp(std::lround(value), 0L, 255L)); }

/// YBR_FULL to RGB in place (PS3.3 C.7.6.3.1.2); GDCM has undone JPEG 2000's own transforms already.
void toRGB(const gdcm::Image &source, CMedImage &image) {
  const gdcm::PhotometricInterpretation::PIType kind = source.GetPhotometricInterpretation();
  const bool isYBR = kind == gdcm::PhotometricInterpretation::YBR_FULL ||
                     kind == gdcm::PhotometricInterpretation::YBR_FULL_422;
  if (!isYBR) return;
  if (image.type != CMedTypeUInt8 || image.channels != 3) fail("YBR colours of more than 8 bits");
  auto *samples = static_cast<uint8_t *>(image.data);
  for (size_t i = 0; i + 2 < image.byteCount; i += 3) {
    const double y = samples[i], blue = samples[i + 1] - 128.0, red = samples[i + 2] - 128.0;
    samples[i] = byte(y + 1.402 * red);
    samples[i + 1] = byte(y - 0.344136 * blue - 0.714136 * red);
    samples[i + 2] = byte(y + 1.772 * blue);
  }
}

/// Keeps the stored bits alone: the others may hold overlays.
template <class Sample>
void clean(void *data, size_t count, int stored, bool isSigned) {
  const int unused = 8 * int(sizeof(Sample)) - stored;
  if (unused <= 0) return;
  using Unsigned = std::make_unsigned_t<Sample>;
  auto *samples = static_cast<Sample *>(data);
  for (size_t i = 0; i < count; ++i) {
    const auto shifted = static_cast<Unsigned>(static_cast<Unsigned>(samples[i]) << unused);
    samples[i] = isSigned ? static_cast<Sample>(static_cast<std::make_signed_t<Sample>>(shifted) >> unused)
                          : static_cast<Sample>(shifted >> unused);
  }
}

CMedType outputType(const gdcm::PixelFormat &format) {
  switch (gdcm::PixelFormat::ScalarType(format)) {
    case gdcm::PixelFormat::UINT8: return CMedTypeUInt8;
    case gdcm::PixelFormat::UINT12:
    case gdcm::PixelFormat::UINT16: return CMedTypeUInt16;
    case gdcm::PixelFormat::INT8:
    case gdcm::PixelFormat::INT12:
    case gdcm::PixelFormat::INT16: return CMedTypeInt16;
    case gdcm::PixelFormat::INT32:
    case gdcm::PixelFormat::UINT32: return CMedTypeInt32;
    case gdcm::PixelFormat::FLOAT32: return CMedTypeFloat32;
    default: fail(std::string("pixels of type ") + format.GetScalarTypeAsString() + ", expected 8 to 32 bits");
  }
}

void store(const gdcm::PixelFormat &format, std::vector<char> &raw, CMedImage &image, size_t count) {
  const bool isSigned = format.GetPixelRepresentation() != 0;
  const int bits = format.GetBitsStored();
  if (format.GetBitsAllocated() == 8) {
    clean<uint8_t>(raw.data(), count, bits, isSigned);
    if (isSigned) {
      convert<int8_t, int16_t>(raw.data(), image.data, count, [](int8_t v) { return v; });
      return;
    }
  } else if (format.GetBitsAllocated() <= 16) {
    clean<uint16_t>(raw.data(), count, bits, isSigned);
  } else if (image.type == CMedTypeInt32) {
    clean<uint32_t>(raw.data(), count, bits, isSigned);
    if (!isSigned) {
      convert<uint32_t, int32_t>(raw.data(), image.data, count, [](uint32_t v) {
        return v > INT32_MAX ? (fail("a value beyond 31 bits"), 0) : static_cast<int32_t>(v);
      });
      return;
    }
  }
  std::memcpy(image.data, raw.data(), image.byteCount);
}

void decode(const gdcm::Image &source, size_t maximumBytes, CMedImage &image) {
  const gdcm::PixelFormat &format = source.GetPixelFormat();
  image.width = source.GetDimension(0);
  image.height = source.GetDimension(1);
  image.depth = source.GetNumberOfDimensions() > 2 ? source.GetDimension(2) : 1;
  image.channels = format.GetSamplesPerPixel();
  image.type = outputType(format);
  image.storedBits = format.GetBitsStored();
  const bool isRLE = source.GetTransferSyntax() == gdcm::TransferSyntax::RLELossless;
  if (isRLE && image.channels > 1 && format.GetBitsAllocated() > 8) {
    fail("RLE colour of more than 8 bits, whose bytes GDCM 3.0 mixes up");
  }
  const size_t count = checkedCount(image, bytesPerElement(image.type), maximumBytes);
  const size_t length = source.GetBufferLength();
  if (length > maximumBytes || length < count * ((format.GetBitsAllocated() + 7) / 8)) {
    fail("pixels of an unexpected length");
  }
  std::vector<char> raw(length);
  if (!source.GetBuffer(raw.data())) fail("pixels that cannot be decoded");
  allocate(image, maximumBytes);
  store(format, raw, image, count);
  toRGB(source, image);
}

/// Refuses what GDCM would allocate for before it allocates.
void checkExtents(const CMedDicomHeader &header, size_t maximumBytes) {
  CMedImage claimed = emptyImage();
  claimed.width = header.columns;
  claimed.height = header.rows;
  claimed.depth = header.frames;
  if (header.rows == 0 || header.columns == 0) fail("a DICOM file without an image");
  checkedCount(claimed, 1, maximumBytes);
}

}  // namespace

bool CMedDicomReadHeader(const char *path, CMedDicomHeader *header, CMedError *error) {
  return guarded(error, [&] {
    quiet();
    WatchedFile file(path);
    std::istream stream(&file);
    gdcm::Reader reader;
    reader.SetStream(stream);
    const std::set<gdcm::Tag> none;
    if (!reader.ReadUpToTag(gdcm::Tag(0x7fe0, 0x0010), none)) fail("a DICOM header that cannot be read");
    // Encapsulated and deflated values end where their codec says; it judges them.
    const gdcm::TransferSyntax &syntax = reader.GetFile().GetHeader().GetDataSetTransferSyntax();
    const bool isNative = !syntax.IsEncapsulated() && syntax != gdcm::TransferSyntax::DeflatedExplicitVRLittleEndian;
    if (isNative && file.isCut) fail("a DICOM file that ends before its last value");
    describe(reader.GetFile(), header);
  });
}

bool CMedDicomRead(
    const char *path, size_t maximumBytes, CMedImage *image, CMedDicomHeader *header, CMedError *error) {
  if (!CMedDicomReadHeader(path, header, error)) return false;
  return guarded(error, [&] {
    checkExtents(*header, maximumBytes);
    gdcm::ImageReader reader;
    reader.SetFileName(path);
    if (!reader.Read()) fail("a DICOM image that cannot be read");
    PendingImage pending;
    Colours colours;
    describeFromImage(reader.GetImage(), header);
    decode(colours.normalised(reader.GetImage()), maximumBytes, pending.image);
    pending.moveTo(image);
  });
}
