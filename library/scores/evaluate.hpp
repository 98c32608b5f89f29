// Masks and score functions asked on the host: the same tree the kernel is made of, one element at
// a time, in double precision.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "scores/node.hpp"

namespace tilewright::library {

/// A table's numbers, row-major.
struct HostTable {
  std::vector<std::int64_t> extents;
  std::vector<double> numbers;
};

/// What is the same for all elements of a launch.
struct ScoreSetting {
  std::int64_t seqlen_q = 0, seqlen_kv = 0, heads = 0;
  std::map<std::string, double> numbers = {};  ///< defaults where missing
  std::map<std::string, HostTable> tables = {};
};

struct ScorePoint {
  std::int64_t batch = 0, head = 0, row = 0, key = 0;
  double score = 0;
  std::int64_t residue = 0;
};

/// Throws Error{invalid_argument} naming a table that the setting lacks.
double evaluate(const ScoreTree& tree, const ScoreSetting& setting, const ScorePoint& at);

}  // namespace tilewright::library
