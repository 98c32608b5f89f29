// What is behind a Mask: the one description that the kernels, the counts and the texts are made
// from.
#pragma once

#include <string>
#include <tilewright/library/mask.hpp>

namespace tilewright {

struct MaskForm {
  bool causal = false;
  CausalAlignment alignment = bottom_right;

  static Mask mask(MaskForm form);
  static const MaskForm& of(const Mask& mask);
  /// "all keys", "causal (bottom-right)".
  std::string text() const;
};

}  // namespace tilewright
