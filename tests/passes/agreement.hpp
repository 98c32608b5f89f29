// Whether two runs of a program agree, and by how much they may differ: not at all where no f32
// operation rounded or the pass promises the same bits; else by what a slight change of every
// rounded result does to this very program, which is measured and not guessed.
#pragma once

#include <cstdint>
#include <string>

#include "ir/interpret.hpp"

namespace tilewright::test {

/// One interpretation: the outputs, and whether any f32 operation rounded.
struct Run {
  ir::Inputs result;
  bool rounded = false;
};
Run interpreted(const ir::Kernel& kernel, const ir::Inputs& inputs);

/// The largest allowed difference, by output, from runs of `kernel` in which every f32 result that
/// may round is off by one part in 2^20 (eight roundings), up or down at random: twice the largest
/// effect, plus four roundings of the output's own largest number to its type.
std::map<std::string, double> sensitivity(const ir::Kernel& kernel, const ir::Inputs& inputs,
                                          const Run& run, std::uint64_t seed);

/// Empty when all outputs agree: bit for bit (but for the sign of zero, and all NaNs are one) where
/// `allowed` has no entry, within it otherwise. Else the first element that does not.
std::string difference(const ir::Inputs& before, const ir::Inputs& after,
                       const std::map<std::string, double>& allowed = {});

}  // namespace tilewright::test
