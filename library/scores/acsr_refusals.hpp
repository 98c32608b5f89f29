// How what is no ACSR is refused, by all who make one.
#pragma once

#include <string>
#include <tilewright/error.hpp>

#include "scores/errors.hpp"

namespace tilewright::library {

[[noreturn]] inline void refuse_acsr(const std::string& argument, const std::string& value,
                                     const std::string& allowed) {
  throw Error(errors::scores["acsr-row-wrong"],
              argument + " does not describe rows of a few arithmetic sequences",
              {argument, value, allowed, ""});
}

}  // namespace tilewright::library
