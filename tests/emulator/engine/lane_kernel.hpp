// Runs a few lines of PTX on one warp: every lane gets its own inputs and leaves its own results.
// %a0..%a2 hold the low 32 bits of the inputs, %l0..%l2 all 64; %d and %ld are stored at the end.
// Scratch registers: %t0..%t9, %lt0..%lt3, %p0..%p7, %h0..%h3 (16 bits), %lane.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

#include "emulator/engine.hpp"

namespace emulator_test {

using namespace tilewright::emulator;
using Lanes = std::array<std::uint64_t, 32>;

struct LaneResults {
  std::array<std::uint32_t, 32> d{};
  Lanes ld{};
  Report report;
};

/// The kernel "probe" around `body`; `before` stands at module level.
std::string lane_kernel(const std::string& body, const std::string& before = "");

LaneResults run_lanes(const std::string& body, const Lanes& a = {}, const Lanes& b = {},
                      const Lanes& c = {}, unsigned threads = 32, const std::string& before = "",
                      bool detectors = false);

/// A parameter block of 64-bit values.
std::vector<std::byte> pointer_parameters(std::initializer_list<std::uint64_t> values);

/// Random words with the values where arithmetic goes wrong in between.
inline Lanes awkward(unsigned seed) {
  static constexpr std::uint64_t edges[] = {0,
                                            1,
                                            2,
                                            31,
                                            32,
                                            33,
                                            63,
                                            64,
                                            0x7f,
                                            0x80,
                                            0xff,
                                            0x7fff,
                                            0x8000,
                                            0xffff,
                                            0x7fffffff,
                                            0x80000000,
                                            0xffffffff,
                                            0xfffffffe,
                                            0x100000000,
                                            0x7fffffffffffffff,
                                            0x8000000000000000,
                                            ~std::uint64_t{0}};
  std::mt19937_64 random(seed);
  Lanes lanes;
  for (auto& lane : lanes) lane = random() % 2 == 0 ? random() : edges[random() % std::size(edges)];
  return lanes;
}

inline Lanes floats(unsigned seed, bool special = true) {
  static constexpr float edges[] = {0.0f,    -0.0f, 1.0f,   -1.0f,    0.5f,      1e-40f,
                                    -1e-40f, 3e38f, -3e38f, 65504.0f, 65520.0f,  1e-7f,
                                    2.5f,    -2.5f, 3.5f,   INFINITY, -INFINITY, NAN};
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(0.0f, 4.0f);
  Lanes lanes;
  for (auto& lane : lanes) {
    const float value =
        special && random() % 3 == 0 ? edges[random() % std::size(edges)] : normal(random);
    lane = std::bit_cast<std::uint32_t>(value);
  }
  return lanes;
}

inline float as_float(std::uint64_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
}

}  // namespace emulator_test
