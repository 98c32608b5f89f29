// See mask_file.hpp.
#include "variants/mask_file.hpp"

#include <cstring>
#include <tilewright/error.hpp>
#include <utility>

#include "variants/errors.hpp"

namespace tilewright::library {
namespace {

using formats::ElementType;
using formats::TensorInfo;

template <typename Number>
std::int32_t narrowed(const std::byte* from, const std::string& name) {
  Number number;
  std::memcpy(&number, from, sizeof number);
  if (!std::in_range<std::int32_t>(number + 0))
    throw Error(errors::variants["mask-number-too-large"],
                "tensor '" + name + "' has a number that is no index",
                {name, std::to_string(number), "-2147483648 to 2147483647", ""});
  return static_cast<std::int32_t>(number);
}

using Reader = std::int32_t (*)(const std::byte* from, const std::string& name);

/// Null: no integers.
Reader reader_of(ElementType type) {
  switch (type) {
    case ElementType::boolean:
    case ElementType::u8: return narrowed<std::uint8_t>;
    case ElementType::i8: return narrowed<std::int8_t>;
    case ElementType::u16: return narrowed<std::uint16_t>;
    case ElementType::i16: return narrowed<std::int16_t>;
    case ElementType::u32: return narrowed<std::uint32_t>;
    case ElementType::i32: return narrowed<std::int32_t>;
    case ElementType::u64: return narrowed<std::uint64_t>;
    case ElementType::i64: return narrowed<std::int64_t>;
    default: return nullptr;
  }
}

void require_rank(const TensorInfo& info, std::size_t rank) {
  if (info.shape.size() == rank) return;
  throw Error(errors::variants["mask-tensor-disagrees"],
              "tensor '" + info.name + "' has another number of dimensions",
              {info.name, std::to_string(info.shape.size()), std::to_string(rank), ""});
}

}  // namespace

void require_extent(const char* tensor, const char* what, std::int64_t extent,
                    std::int64_t wanted) {
  if (extent == wanted) return;
  throw Error(errors::variants["mask-tensor-disagrees"],
              std::string("the mask of the file is for another number of ") + what,
              {tensor, std::to_string(extent), std::to_string(wanted), ""});
}

MaskFile::MaskFile(const std::string& path)
    : path_(path), file_(formats::SafetensorsFile::open(path)) {}

const TensorInfo& MaskFile::tensor(const char* name) const {
  if (const TensorInfo* found = file_.find(name)) return *found;
  std::string names;
  for (const TensorInfo& info : file_.tensors()) names += (names.empty() ? "" : ", ") + info.name;
  throw Error(errors::variants["mask-tensor-missing"], path_ + " lacks a tensor of the mask",
              {name, names.empty() ? "no tensors" : names, "a tensor of that name", ""});
}

FileIntegers MaskFile::read(const TensorInfo& info) const {
  const Reader number = reader_of(info.type);
  if (number == nullptr)
    throw Error(errors::variants["mask-tensor-type"],
                path_ + ": tensor '" + info.name + "' has no integers",
                {info.name, std::string(formats::name(info.type)),
                 "BOOL, U8, I8, U16, I16, U32, I32, U64, I64", ""});
  const std::vector<std::byte> bytes = file_.read(info);
  const std::size_t size = formats::size_of(info.type);
  FileIntegers result{info.shape, std::vector<std::int32_t>(bytes.size() / size)};
  for (std::size_t i = 0; i < result.numbers.size(); ++i)
    result.numbers[i] = number(bytes.data() + i * size, info.name);
  return result;
}

FileIntegers MaskFile::integers(const char* name, std::size_t rank) const {
  const TensorInfo& info = tensor(name);
  require_rank(info, rank);
  return read(info);
}

FileIntegers MaskFile::integers_by_head(const char* name, std::size_t rank,
                                        std::int64_t heads) const {
  const TensorInfo& info = tensor(name);
  const bool shared = info.shape.size() + 1 == rank;
  if (!shared) require_rank(info, rank);
  FileIntegers result = read(info);
  if (shared)
    result.extents.insert(result.extents.begin(), 1);
  else if (result.extents[0] != 1)
    require_extent(name, "heads", result.extents[0], heads);
  return result;
}

FileCsr MaskFile::csr(std::int64_t heads, std::int64_t rows) const {
  FileIntegers indptr = integers_by_head("indptr", 2, heads);
  require_extent("indptr", "rows (one more than there are)", indptr.extents[1], rows + 1);
  return {indptr.extents[0], std::move(indptr.numbers), integers("indices", 1).numbers};
}

}  // namespace tilewright::library
