// Where the values of visible pairs stand in compressed rows: those of row q, segment after
// segment, in the places 0 to count(q) - 1.
#pragma once

#include <tilewright/library/acsr.hpp>

namespace tilewright::library {

struct AcsrPlaces {
  explicit AcsrPlaces(const Acsr& acsr);

  ScoreTree place;  ///< of a pair that the mask shows; of others, -1
  ScoreTree count;  ///< of a row
  /// "acsr_count" and, with several segments, "acsr_place": what these ask for beyond
  /// Acsr::tables.
  std::vector<AcsrTable> tables;
};

}  // namespace tilewright::library
