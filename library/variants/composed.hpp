// A variant made of recipes: composed, compiled by the builder's kernel (attention/kernel.hpp) in
// the order of tiles that its mask wants, launched.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "variants/recipe.hpp"

namespace tilewright::library {

std::unique_ptr<Variant> make_composed(std::string name,
                                       std::vector<std::shared_ptr<const Recipe>> recipes);

}  // namespace tilewright::library
