// Where the temporaries of a plan lie in its workspace, for given extents.
//
// The one idea: a temporary lives from the first step that touches it to the last, and two of them
// may share bytes when no step falls into both lives. Each takes the lowest place that is free
// during its life (first fit, in order of first use), at a multiple of 256 bytes; rows are padded
// to 16 bytes, so that the kernels which rely on alignment run.
#pragma once

#include <cstdint>
#include <vector>

#include "signature.hpp"

namespace tilewright {

class WorkspaceLayout {
 public:
  static constexpr std::size_t alignment = 256;  ///< of the workspace and of each temporary

  struct Piece {
    int slot = 0;
    std::size_t offset = 0, bytes = 0;
  };

  WorkspaceLayout() = default;
  explicit WorkspaceLayout(const Signature& signature);

  bool empty() const { return temporaries_.empty(); }
  /// One piece for each temporary, and the bytes of all. `extents` by dimension, all known. Throws
  /// Error{unsupported} when that is more than an address can say.
  std::size_t place(const std::vector<std::int64_t>& extents, std::vector<Piece>& pieces) const;

  /// Of piece number `which`, in elements; returns how many there are.
  std::size_t strides(std::size_t which, const std::vector<std::int64_t>& extents,
                      std::int64_t* strides) const;
  std::size_t stride_count() const { return stride_count_; }

 private:
  struct Temporary {
    int slot = 0;
    std::string name;
    std::vector<int> dims;
    std::int64_t element_bytes = 1;
    int first = 0, last = 0;
    bool packed = false;
  };
  std::size_t bytes(const Temporary& temporary, const std::vector<std::int64_t>& extents) const;

  std::vector<Temporary> temporaries_;  ///< by first use
  std::size_t stride_count_ = 0;
};

}  // namespace tilewright
