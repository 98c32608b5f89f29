// Where `run` gets q, k and v, and where out and lse go.
//
// Either the tensors of a safetensors file, in the layout the request names, or normal numbers from
// Philox by logical index [batch, head, row, element], so the values do not depend on the layout.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "command/shape_options.hpp"
#include "formats/safetensors.hpp"

namespace tilewright::command {

struct HostTensors {
  std::vector<std::byte> q, k, v;
  library::Inputs inputs() const { return {q, k, v}; }
};

/// The q, k and v of an input file, checked against one another but not yet read.
class InputFile {
 public:
  /// Throws Error{invalid_file} if the file is not safetensors or lacks one of the three, and
  /// Error{shape_mismatch}/Error{unsupported} if their ranks, shapes or types do not go together.
  InputFile(const std::string& path, library::Layout layout);

  const FileShape& shape() const { return shape_; }
  HostTensors read() const;

 private:
  const formats::TensorInfo& tensor(std::string_view name) const;

  formats::SafetensorsFile file_;
  FileShape shape_;
};

/// q, k and v of standard normal numbers, rounded to shape.dtype.
HostTensors random_tensors(const library::AttentionShape& shape, std::uint64_t seed);

/// Writes out (in shape.layout) and lse as a safetensors file, whole or not at all.
/// Throws Error{io}.
void write_result(const std::string& path, const library::AttentionShape& shape,
                  const library::RunResult& result, std::string_view variant);

}  // namespace tilewright::command
