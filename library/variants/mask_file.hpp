// Masks that are read from a file: the tensors of a safetensors file, as integers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/safetensors.hpp"

namespace tilewright::library {

/// One tensor, row-major, and its extents.
struct FileIntegers {
  std::vector<std::int64_t> extents;
  std::vector<std::int32_t> numbers;
};

/// A matrix in CSR form for each head, or one for all.
struct FileCsr {
  std::int64_t heads = 1;
  std::vector<std::int32_t> indptr, indices;
};

/// What `--mask FILE` names. Everything throws Error naming the tensor: invalid_file where it is
/// missing, shape_mismatch where it has other extents, unsupported for elements that are no
/// integers and for numbers past 32 bits.
class MaskFile {
 public:
  /// Throws Error{invalid_file} where it is no safetensors file.
  explicit MaskFile(const std::string& path);

  bool has(const char* name) const { return file_.find(name) != nullptr; }
  /// Of as many dimensions.
  FileIntegers integers(const char* name, std::size_t rank) const;
  /// The same with heads in front, `heads` of them or 1; without that dimension it is 1 too.
  FileIntegers integers_by_head(const char* name, std::size_t rank, std::int64_t heads) const;
  /// "indptr" [heads, rows + 1] and "indices" [entries].
  FileCsr csr(std::int64_t heads, std::int64_t rows) const;

 private:
  const formats::TensorInfo& tensor(const char* name) const;
  FileIntegers read(const formats::TensorInfo& info) const;

  std::string path_;
  formats::SafetensorsFile file_;
};

/// Throws Error{shape_mismatch} unless the tensor has the `wanted` extent of `what`.
void require_extent(const char* tensor, const char* what, std::int64_t extent, std::int64_t wanted);

}  // namespace tilewright::library
