// The numbers and tables of a mask and of score functions, as a launch gives them.
#pragma once

#include "attention/state.hpp"

namespace tilewright::library {

/// Appends one argument for each number and table of `known`, the mask's and the score functions'.
/// Throws Error{invalid_argument} naming a number or table that is not of this attention, given
/// twice or not at all, no integer where one is wanted, or of another element type.
void bind_arguments(const std::vector<ScoreTree>& known,
                    const std::vector<std::pair<std::string, double>>& numbers,
                    const std::vector<std::pair<std::string, TensorView>>& tables,
                    std::vector<Binding>& arguments);

}  // namespace tilewright::library
