// An error on purpose: checked for its id, and for what every error says.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <tilewright/error.hpp>

namespace tilewright::test {

/// What `action` throws; fails unless it has this entry of the catalogue, and a sentence.
template <typename Action>
Error provoked(const ErrorEntry& entry, const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    INFO(std::string(error.what()));
    CHECK(std::string(error.id()) == std::string(entry.id));
    CHECK(error.kind() == entry.kind);
    CHECK(std::string(error.what()).size() > 10);
    return error;
  }
  FAIL_CHECK("not refused: " << std::string(entry.id));
  return Error(entry, "");
}

}  // namespace tilewright::test
