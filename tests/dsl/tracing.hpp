// What the tests of errors that show while a kernel is traced have in common.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <string>
#include <tilewright/error.hpp>

#include "build.hpp"
#include "runtime/errors.hpp"

namespace tilewright::test {

/// The error that tracing `source` gives.
template <typename Source>
Error error_of(const Source& source, const std::map<std::string, std::int64_t>& extents = {}) {
  try {
    build(source, extents);
  } catch (const Error& error) {
    return error;
  }
  FAIL("no error");
  return Error(errors::runtime["cache-not-writable"], "");
}

inline bool says(const Error& error, const std::string& text) {
  const bool found = std::string(error.what()).find(text) != std::string::npos;
  if (!found) MESSAGE(error.what());
  return found;
}

}  // namespace tilewright::test
