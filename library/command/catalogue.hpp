// Every error there is, gathered from the tables beside the code that throws them.
#pragma once

#include <string>
#include <tilewright/error.hpp>
#include <vector>

namespace tilewright::command {

/// All entries, by kind in the order of ErrorKind, then as their tables have them.
std::vector<const ErrorEntry*> catalogue();

/// The entry of that id. Throws Error{invalid_argument} that names close ones if there is none.
const ErrorEntry& catalogued(const std::string& id);

/// `entries` for people, at most 100 columns wide.
std::string catalogue_text(const std::vector<const ErrorEntry*>& entries);

}  // namespace tilewright::command
