// Which keys a row of queries sees, as a value that a caller composes an Attention from.
#pragma once

#include <memory>
#include <tilewright/dsl/causal_alignment.hpp>

namespace tilewright {

struct MaskForm;

/// A set of (row, key) pairs. Says nothing of lengths: one mask serves them all. Copies are cheap.
class Mask {
 public:
  /// Every key.
  Mask() = default;

 private:
  friend struct MaskForm;
  explicit Mask(std::shared_ptr<const MaskForm> form) : form_(std::move(form)) {}
  std::shared_ptr<const MaskForm> form_;
};

/// A row sees the keys that are not after it. With bottom_right the last row sees the last key;
/// where there are more rows than keys, the first rows see none. With top_left row 0 sees key 0.
Mask causal(CausalAlignment alignment = bottom_right);

}  // namespace tilewright
