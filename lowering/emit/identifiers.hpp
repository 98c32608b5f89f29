// Names of a standalone program: what the user called things, made into C++ identifiers that clash
// with nothing. `Identifiers` hands out each name once; `Signature` fixes those that the reference
// and the main() that calls it share. Users of both: reference.cpp and standalone.cpp.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ir/ir.hpp"

namespace tilewright::emit {

class Identifiers {
 public:
  Identifiers();
  /// `wanted`, or `wanted_2`, `wanted_3`, … where it is taken or means something in C++ or in the
  /// text.
  std::string take(const std::string& wanted);
  /// `wanted` when it is free, else a name made from `otherwise`.
  std::string take(const std::string& wanted, const std::string& otherwise);

 private:
  std::set<std::string> taken_;
};

/// What stands outside the body of the reference: the members of Extents and the parameters.
struct Signature {
  std::vector<std::string> dims;                 ///< of the kernel, in order of appearance
  std::map<std::string, std::string> member;     ///< dimension -> member of Extents
  std::map<std::string, std::string> parameter;  ///< argument -> parameter of the reference
  Identifiers names;  ///< with the parameters and the kernel's own name taken

  explicit Signature(const ir::Kernel& kernel);
};

/// The C++ type that holds an element exactly enough: double for all floating types, int for the
/// short integers. `in_array`: elements of an array, where b1 is a char.
std::string element_type(DType dtype, bool in_array);

}  // namespace tilewright::emit
