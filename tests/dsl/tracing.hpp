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

/// Whether the sentence holds `text`, and the error has this id of the catalogue if one is given.
inline bool says(const Error& error, const std::string& text, const std::string& id = {}) {
  const bool found = std::string(error.what()).find(text) != std::string::npos;
  if (!found) MESSAGE(error.what());
  const bool named = id.empty() || error.id() == id;
  if (!named) MESSAGE(error.id());
  return found && named;
}

}  // namespace tilewright::test
