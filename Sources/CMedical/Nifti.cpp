// NIfTI-1 and NIfTI-2 through niftiio: its headers and geometry, with the voxels read in bounded steps.
#include <nifti2_io.h>
#include <znzlib.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <vector>

#include "Guard.hpp"

using namespace limn;

namespace {

constexpr size_t headerBytes1 = 348, headerBytes2 = 540;

struct ImageFreer {
  void operator()(nifti_image *image) const { nifti_image_free(image); }
};
using Header = std::unique_ptr<nifti_image, ImageFreer>;

/// A plain or gzip file, closed at the end of its scope.
struct Stream {
  znzFile file;
  explicit Stream(const std::string &path, const char *mode, bool compressed)
      : file(znzopen(path.c_str(), mode, compressed)) {
    if (znz_isnull(file)) fail("the file cannot be opened");
  }
  ~Stream() { close(); }
  Stream(const Stream &) = delete;
  Stream &operator=(const Stream &) = delete;

  bool close() { return znz_isnull(file) || Xznzclose(&file) == 0; }

  size_t read(void *target, size_t count) {
    size_t done = 0;
    while (done < count) {
      const size_t step = std::min<size_t>(count - done, 64 << 20);
      const size_t got = znzread(static_cast<uint8_t *>(target) + done, 1, step, file);
      done += got;
      if (got < step) break;
    }
    return done;
  }

  void write(const void *source, size_t count) {
    size_t done = 0;
    while (done < count) {
      const size_t step = std::min<size_t>(count - done, 64 << 20);
      if (znzwrite(static_cast<const uint8_t *>(source) + done, 1, step, file) != step) {
        fail("the file cannot be written");
      }
      done += step;
    }
  }

  void skip(size_t count) {
    std::array<uint8_t, 4096> bin;
    while (count > 0) {
      const size_t step = std::min(count, bin.size());
      if (read(bin.data(), step) != step) fail("the file ends before its voxels");
      count -= step;
    }
  }
};

/// Refuses what the library would also print about.
template <class RawHeader>
void check(RawHeader header, bool isSwapped, void (*swap)(RawHeader *)) {
  if (isSwapped) swap(&header);
  const auto rank = header.dim[0];
  if (rank < 1 || rank > 7) fail("a NIfTI header of " + std::to_string(rank) + " dimensions, expected 1 to 7");
  for (int i = 1; i <= rank; ++i) {
    if (header.dim[i] < 1) fail("a NIfTI header with an extent of " + std::to_string(header.dim[i]));
  }
  const int datatype = header.datatype;
  if (datatype == DT_BINARY || !nifti_is_valid_datatype(datatype)) {
    fail("voxels of type " + std::to_string(datatype) + ", which NIfTI does not know or holds in bits");
  }
}

/// The header in `bytes`, either version, either byte order, and how many bytes it took.
Header parseHeader(const std::array<uint8_t, headerBytes2> &bytes, size_t count, size_t *used) {
  int32_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof size);
  const int32_t swapped = __builtin_bswap32(size);
  nifti_set_debug_level(0);
  nifti_image *parsed = nullptr;
  if ((size == int(headerBytes2) || swapped == int(headerBytes2)) && count >= headerBytes2) {
    nifti_2_header header;
    std::memcpy(&header, bytes.data(), sizeof header);
    *used = headerBytes2;
    check(header, size != int(headerBytes2), nifti_swap_as_nifti2);
    parsed = nifti_convert_n2hdr2nim(header, nullptr);
  } else if ((size == int(headerBytes1) || swapped == int(headerBytes1)) && count >= headerBytes1) {
    nifti_1_header header;
    std::memcpy(&header, bytes.data(), sizeof header);
    *used = headerBytes1;
    check(header, size != int(headerBytes1), nifti_swap_as_nifti1);
    parsed = nifti_convert_n1hdr2nim(header, nullptr);
  } else {
    fail("no NIfTI header at the start of the file");
  }
  if (!parsed) fail("a NIfTI header that contradicts itself");
  return Header(parsed);
}

int64_t extent(int64_t value) { return value < 1 ? 1 : value; }

void describe(const nifti_image &header, CMedImage &image) {
  image.width = extent(header.nx);
  image.height = extent(header.ny);
  image.depth = extent(header.nz);
  int64_t volumes = 1;
  for (int64_t more : {header.nt, header.nu, header.nv, header.nw}) {
    if (__builtin_mul_overflow(volumes, extent(more), &volumes)) fail("extents that overflow");
  }
  image.channels = volumes;
  image.planar = true;
  image.hasAffine = header.sform_code > 0 || header.qform_code > 0;
  const nifti_dmat44 &matrix = header.sform_code > 0 ? header.sto_xyz : header.qto_xyz;
  for (int i = 0; i < 16; ++i) {
    image.affine[i] = matrix.m[i / 4][i % 4];
    if (!std::isfinite(image.affine[i])) fail("a geometry of numbers that are not finite");
  }
}

bool isScaled(const nifti_image &header) {
  const bool usable = std::isfinite(header.scl_slope) && std::isfinite(header.scl_inter);
  return usable && header.scl_slope != 0 && (header.scl_slope != 1 || header.scl_inter != 0);
}

CMedType outputType(const nifti_image &header) {
  switch (header.datatype) {
    case NIFTI_TYPE_UINT8:
    case NIFTI_TYPE_RGB24:
    case NIFTI_TYPE_RGBA32: return isScaled(header) ? CMedTypeFloat32 : CMedTypeUInt8;
    case NIFTI_TYPE_UINT16: return isScaled(header) ? CMedTypeFloat32 : CMedTypeUInt16;
    case NIFTI_TYPE_INT8:
    case NIFTI_TYPE_INT16: return isScaled(header) ? CMedTypeFloat32 : CMedTypeInt16;
    case NIFTI_TYPE_INT32:
    case NIFTI_TYPE_UINT32:
    case NIFTI_TYPE_INT64: return isScaled(header) ? CMedTypeFloat32 : CMedTypeInt32;
    case NIFTI_TYPE_FLOAT32:
    case NIFTI_TYPE_FLOAT64: return CMedTypeFloat32;
    default:
      fail(std::string("voxels of type ") + nifti_datatype_string(header.datatype) +
           ", expected integers, floats or RGB");
  }
}

/// A whole number that must fit 32 bits with a sign.
template <class From>
int32_t narrowed(From value) {
  if (value > From(INT32_MAX) || (std::is_signed_v<From> && value < From(INT32_MIN))) {
    fail("a voxel of " + std::to_string(value) + ", beyond 32 bits with a sign");
  }
  return static_cast<int32_t>(value);
}

/// Stored voxels of one type to the image's own, scaled where the header says so.
template <class From>
void store(const nifti_image &header, const void *raw, CMedImage &image, size_t count) {
  if (isScaled(header)) {
    convert<From, float>(raw, image.data, count, [&](From value) {
      return static_cast<float>(header.scl_slope * static_cast<double>(value) + header.scl_inter);
    });
  } else if (image.type == CMedTypeFloat32) {
    convert<From, float>(raw, image.data, count, [](From value) { return static_cast<float>(value); });
  } else if (image.type == CMedTypeInt32) {
    convert<From, int32_t>(raw, image.data, count, [](From value) { return narrowed(value); });
  } else if (image.type == CMedTypeInt16) {
    convert<From, int16_t>(raw, image.data, count, [](From value) { return static_cast<int16_t>(value); });
  } else {
    std::memcpy(image.data, raw, count * sizeof(From));
  }
}

void storeAny(const nifti_image &header, const void *raw, CMedImage &image, size_t count) {
  switch (header.datatype) {
    case NIFTI_TYPE_UINT8: return store<uint8_t>(header, raw, image, count);
    case NIFTI_TYPE_INT8: return store<int8_t>(header, raw, image, count);
    case NIFTI_TYPE_UINT16: return store<uint16_t>(header, raw, image, count);
    case NIFTI_TYPE_INT16: return store<int16_t>(header, raw, image, count);
    case NIFTI_TYPE_UINT32: return store<uint32_t>(header, raw, image, count);
    case NIFTI_TYPE_INT32: return store<int32_t>(header, raw, image, count);
    case NIFTI_TYPE_INT64: return store<int64_t>(header, raw, image, count);
    case NIFTI_TYPE_FLOAT32: return store<float>(header, raw, image, count);
    default: return store<double>(header, raw, image, count);
  }
}

/// RGB24 and RGBA32 hold their samples together; alpha is dropped.
void storeColour(const std::vector<uint8_t> &raw, size_t samples, CMedImage &image, size_t voxels) {
  auto *target = static_cast<uint8_t *>(image.data);
  for (size_t i = 0; i < voxels; ++i) std::memcpy(target + 3 * i, raw.data() + samples * i, 3);
}

bool isColour(const nifti_image &header) {
  return header.datatype == NIFTI_TYPE_RGB24 || header.datatype == NIFTI_TYPE_RGBA32;
}

void describeVoxels(const nifti_image &header, CMedImage &image) {
  image.type = outputType(header);
  image.storedBits = isColour(header) ? 8 : 8 * header.nbyper;
  if (isColour(header) && (image.channels != 1 || isScaled(header))) fail("a scaled or multi-volume RGB image");
}

void readVoxels(Stream &stream, const nifti_image &header, size_t maximumBytes, CMedImage &image) {
  const bool colour = isColour(header);
  const size_t stored = static_cast<size_t>(header.nbyper);
  const size_t voxels = checkedCount(image, stored, maximumBytes);
  std::vector<uint8_t> raw(voxels * stored);
  if (stream.read(raw.data(), raw.size()) != raw.size()) fail("the file ends before its last voxel");
  if (header.byteorder != nifti_short_order() && header.swapsize > 1) {
    nifti_swap_Nbytes(static_cast<int64_t>(raw.size()) / header.swapsize, header.swapsize, raw.data());
  }
  if (colour) {
    image.channels = 3;
    image.planar = false;
  }
  allocate(image, maximumBytes);
  colour ? storeColour(raw, stored, image, voxels) : storeAny(header, raw.data(), image, voxels);
}

/// The file's length; 0 where it cannot be told.
size_t fileSize(const std::string &path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff size = file.good() ? static_cast<std::streamoff>(file.tellg()) : 0;
  return size > 0 ? static_cast<size_t>(size) : 0;
}

bool exists(const std::string &path) { return std::ifstream(path).good(); }

/// Where the voxels of a header without them lie: beside it, `.img` for `.hdr`, either compressed.
std::string voxelPath(const std::string &path) {
  std::string stem = path;
  if (stem.size() > 3 && stem.substr(stem.size() - 3) == ".gz") stem.resize(stem.size() - 3);
  const bool isUpper = stem.size() > 4 && stem.substr(stem.size() - 4) == ".HDR";
  if (stem.size() > 4 && (isUpper || stem.substr(stem.size() - 4) == ".hdr")) stem.resize(stem.size() - 4);
  const std::string plain = stem + (isUpper ? ".IMG" : ".img");
  for (const std::string &candidate : {plain, plain + ".gz"}) {
    if (exists(candidate)) return candidate;
  }
  fail("a header whose voxels should lie in " + plain + ", which is missing");
}

/// A header with where its voxels begin.
struct Found {
  Header header;
  std::string path;
  size_t offset;
};

Found find(const std::string &path) {
  Stream stream(path, "rb", true);
  std::array<uint8_t, headerBytes2> bytes = {};
  const size_t got = stream.read(bytes.data(), bytes.size());
  size_t used = 0;
  Header header = parseHeader(bytes, got, &used);
  const auto stated = static_cast<size_t>(std::max<int64_t>(header->iname_offset, 0));
  switch (header->nifti_type) {
    case NIFTI_FTYPE_NIFTI1_1:
    case NIFTI_FTYPE_NIFTI2_1: return {std::move(header), path, std::max(stated, used)};
    case NIFTI_FTYPE_NIFTI1_2:
    case NIFTI_FTYPE_NIFTI2_2: return {std::move(header), voxelPath(path), stated};
    default: fail("an Analyze 7.5 header, which does not tell left from right, expected NIfTI");
  }
}

void read(const std::string &path, size_t maximumBytes, CMedImage &image) {
  const Found found = find(path);
  describe(*found.header, image);
  describeVoxels(*found.header, image);
  Stream voxels(found.path, "rb", true);
  voxels.skip(found.offset);
  readVoxels(voxels, *found.header, plausibleBytes(fileSize(found.path), maximumBytes), image);
}

int datatype(CMedType type) {
  switch (type) {
    case CMedTypeUInt8: return NIFTI_TYPE_UINT8;
    case CMedTypeUInt16: return NIFTI_TYPE_UINT16;
    case CMedTypeInt16: return NIFTI_TYPE_INT16;
    case CMedTypeInt32: return NIFTI_TYPE_INT32;
    default: return NIFTI_TYPE_FLOAT32;
  }
}

/// Both forms of the geometry: the affine itself, and the nearest rotation with spacings.
void setGeometry(nifti_image &header, const CMedImage &image) {
  nifti_dmat44 matrix;
  for (int i = 0; i < 16; ++i) matrix.m[i / 4][i % 4] = image.affine[i];
  header.sto_xyz = matrix;
  header.sform_code = header.qform_code = NIFTI_XFORM_SCANNER_ANAT;
  nifti_dmat44_to_quatern(
      matrix, &header.quatern_b, &header.quatern_c, &header.quatern_d, &header.qoffset_x, &header.qoffset_y,
      &header.qoffset_z, &header.dx, &header.dy, &header.dz, &header.qfac);
  header.pixdim[1] = header.dx;
  header.pixdim[2] = header.dy;
  header.pixdim[3] = header.dz;
  header.xyz_units = NIFTI_UNITS_MM;
}

Header makeHeader(const CMedImage &image, bool isDisplacement, const char *description) {
  const int64_t rank = isDisplacement ? 5 : image.channels == 1 ? 3 : 4;
  const int64_t dims[8] = {rank, image.width, image.height, image.depth,
                           isDisplacement ? 1 : image.channels, isDisplacement ? image.channels : 1, 1, 1};
  Header header(nifti_make_new_nim(dims, datatype(image.type), 0));
  if (!header) fail("extents that NIfTI cannot hold");
  setGeometry(*header, image);
  if (isDisplacement) header->intent_code = NIFTI_INTENT_DISPVECT;
  std::snprintf(header->descrip, sizeof header->descrip, "%s", description);
  return header;
}

/// The header's bytes and the four empty bytes after them (no extensions); version 2 where extents ask.
std::vector<uint8_t> headerBytes(nifti_image &header, const CMedImage &image) {
  const bool large = std::max({image.width, image.height, image.depth, image.channels}) > INT16_MAX;
  std::vector<uint8_t> bytes(large ? headerBytes2 + 4 : headerBytes1 + 4);
  header.nifti_type = large ? NIFTI_FTYPE_NIFTI2_1 : NIFTI_FTYPE_NIFTI1_1;
  header.iname_offset = static_cast<int64_t>(bytes.size());
  nifti_1_header first;
  nifti_2_header second;
  const int failed = large ? nifti_convert_nim2n2hdr(&header, &second) : nifti_convert_nim2n1hdr(&header, &first);
  if (failed) fail("a header that NIfTI cannot hold");
  std::memcpy(bytes.data(), large ? static_cast<void *>(&second) : &first, bytes.size() - 4);
  return bytes;
}

}  // namespace

bool CMedNIfTIProbe(const char *path) {
  CMedError error;
  return guarded(&error, [&] {
    Stream stream(path, "rb", true);
    std::array<uint8_t, headerBytes1> bytes = {};
    if (stream.read(bytes.data(), bytes.size()) != bytes.size()) fail("too short");
    const char *first = reinterpret_cast<const char *>(bytes.data() + 344);
    const char *second = reinterpret_cast<const char *>(bytes.data() + 4);
    const std::string magics[] = {std::string(first, 3), std::string(second, 3)};
    int32_t size = 0;
    std::memcpy(&size, bytes.data(), sizeof size);
    const bool isAnalyze = size == int(headerBytes1) || __builtin_bswap32(size) == headerBytes1;
    const bool isNIfTI = magics[0] == "n+1" || magics[0] == "ni1" || magics[1] == "n+2" || magics[1] == "ni2";
    if (!isNIfTI && !isAnalyze) fail("no magic");
  });
}

bool CMedNIfTIReadHeader(const char *path, size_t maximumBytes, CMedImage *image, CMedError *error) {
  return guarded(error, [&] {
    const Found found = find(path);
    *image = emptyImage();
    describe(*found.header, *image);
    describeVoxels(*found.header, *image);
    checkedCount(
        *image, static_cast<size_t>(found.header->nbyper), plausibleBytes(fileSize(found.path), maximumBytes));
    if (isColour(*found.header)) image->channels = 3;
  });
}

bool CMedNIfTIRead(const char *path, size_t maximumBytes, CMedImage *image, CMedError *error) {
  return guarded(error, [&] {
    PendingImage pending;
    read(path, maximumBytes, pending.image);
    pending.moveTo(image);
  });
}

bool CMedNIfTIWrite(
    const CMedImage *image, double slope, double intercept, bool isDisplacement, const char *description,
    bool compressed, const char *path, CMedError *error) {
  return guarded(error, [&] {
    const Header header = makeHeader(*image, isDisplacement, description);
    header->scl_slope = static_cast<float>(slope);
    header->scl_inter = static_cast<float>(intercept);
    const std::vector<uint8_t> bytes = headerBytes(*header, *image);
    Stream stream(path, "wb", compressed);
    stream.write(bytes.data(), bytes.size());
    stream.write(image->data, image->byteCount);
    if (!stream.close()) fail("the file cannot be written");
  });
}
