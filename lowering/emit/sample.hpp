// What a standalone program runs on: extents that have tails, values of scalars, limits of
// integers, and how far a result may lie from the reference. Everything follows from the traced
// program, so that the text is the same each time. Used by standalone.cpp.
#pragma once

#include <map>
#include <string>

#include "ir/ir.hpp"

namespace tilewright::emit {

/// An extent for each dimension of `traced`: bound ones as bound; those that divide one another
/// (heads in groups) 4, 2, 1; tiled ones odd; others small.
std::map<std::string, int> sample_extents(const ir::Kernel& traced);

/// Elements of an integer tensor are 0 … limit-1: inside the dimension they index, or small.
int sample_limit(const ir::Kernel& traced, const std::string& tensor,
                 const std::map<std::string, int>& extents);

/// Allowed |result - reference| / (1 + |reference|) for an output: by the coarsest type that its
/// value was cast to or is stored as; 0 for integers.
double sample_tolerance(const ir::Kernel& traced, const std::string& tensor);

/// A block list that a loop of `traced` follows: its three tensors, filled with rows of several
/// lengths, an empty one among them.
struct SampleList {
  std::string begin, end, tiles;
  int columns = 0;   ///< tiles that a row could name
  bool cut = false;  ///< the loop has a mask
};
std::vector<SampleList> sample_lists(const ir::Kernel& traced,
                                     const std::map<std::string, int>& extents);

}  // namespace tilewright::emit
