// The safetensors format: named tensors in one file, the way inputs and results travel.
//
//   8 bytes  length N of the header, little endian
//   N bytes  JSON: {"name": {"dtype": "BF16", "shape": [...], "data_offsets": [begin, end]}, ...}
//   the rest tensor data, without holes, offsets counted from here
//
// The reader believes nothing: every length, offset, shape and name is checked against the file
// before a byte of data is read. Tests with a lie in each place: tests/library/safetensors_*.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tilewright::formats {

enum class ElementType {
  boolean,
  u8,
  i8,
  f8_e4m3,
  f8_e5m2,
  u16,
  i16,
  f16,
  bf16,
  u32,
  i32,
  f32,
  u64,
  i64,
  f64
};

std::string_view name(ElementType type);  ///< as in the file: "BF16"
std::size_t size_of(ElementType type);    ///< bytes of one element
/// The type of that name, or null.
const ElementType* find_element_type(std::string_view name);

/// One tensor of a file, row-major. `begin` and `end` are bytes from the start of the data.
struct TensorInfo {
  std::string name;
  ElementType type{};
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// An open file whose header has been checked. Data is read tensor by tensor, on demand.
class SafetensorsFile {
 public:
  /// Throws Error{invalid_file} naming the file, and the tensor where one is to blame.
  static SafetensorsFile open(const std::filesystem::path& path);

  const std::vector<TensorInfo>& tensors() const { return tensors_; }  ///< in order of their data
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const TensorInfo* find(std::string_view name) const;  ///< null if there is none of that name

  /// The tensor's bytes, `end - begin` of them. Throws Error{invalid_file} if the file has shrunk
  /// since it was opened.
  std::vector<std::byte> read(const TensorInfo& tensor) const;

 private:
  friend struct HeaderReader;
  std::string path_;
  std::shared_ptr<const int> descriptor_;
  std::uint64_t data_begin_ = 0;
  std::vector<TensorInfo> tensors_;
  std::map<std::string, std::string> metadata_;
};

/// A tensor to be written; `bytes` must hold exactly the shape's elements.
struct TensorData {
  std::string name;
  ElementType type{};
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

/// Writes the file whole or not at all (see file.hpp). Wider types come first, so that each tensor
/// is aligned to its element. Throws Error{io} if it cannot be written, Error{invalid_argument} if
/// a tensor's bytes do not match its shape, or names repeat.
void write_safetensors(const std::filesystem::path& path, std::span<const TensorData> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace tilewright::formats
