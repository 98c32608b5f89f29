// See mask.hpp and mask_form.hpp.
#include "attention/mask_form.hpp"

namespace tilewright {

Mask MaskForm::mask(MaskForm form) { return Mask(std::make_shared<const MaskForm>(form)); }

const MaskForm& MaskForm::of(const Mask& mask) {
  static const MaskForm every_key;
  return mask.form_ ? *mask.form_ : every_key;
}

std::string MaskForm::text() const {
  return causal ? "causal (" + std::string(name(alignment)) + ")" : "all keys";
}

Mask causal(CausalAlignment alignment) {
  return MaskForm::mask({.causal = true, .alignment = alignment});
}

}  // namespace tilewright
