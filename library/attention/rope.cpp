// See tilewright/library/rope.hpp: the numbers, on the host.
#include <tilewright/library/rope.hpp>

#include <cmath>
#include <tilewright/error.hpp>

#include "attention/errors.hpp"

namespace tilewright {
namespace {

[[noreturn]] void refuse(const char* argument, const std::string& value, const char* allowed) {
  throw Error(errors::attention["rope-number-unusable"],
              std::string(argument) + " is not one that rotary positions can have",
              {argument, value, allowed, ""});
}

void require_dim(std::int64_t dim, std::int64_t least, const char* allowed) {
  if (dim < least || dim % 2 != 0) refuse("dim", std::to_string(dim), allowed);
}

void require_positive(const char* argument, double value) {
  if (!(value > 0) || !std::isfinite(value))
    refuse(argument, std::to_string(value), "a finite number above 0");
}

}  // namespace

std::vector<double> rope_inv_freq(std::int64_t dim, double base) {
  require_dim(dim, 2, "an even number from 2 on");
  require_positive("base", base);
  std::vector<double> frequencies;
  for (std::int64_t i = 0; i < dim / 2; ++i)
    frequencies.push_back(std::pow(base, -2 * static_cast<double>(i) / static_cast<double>(dim)));
  return frequencies;
}

double rope_ntk_base(std::int64_t dim, double scale, double base) {
  require_dim(dim, 4, "an even number from 4 on");
  require_positive("scale", scale);
  require_positive("base", base);
  return base * std::pow(scale, static_cast<double>(dim) / static_cast<double>(dim - 2));
}

RopeTables rope_tables(std::span<const double> inv_freq, std::int64_t positions,
                       const RopeScaling& scaling) {
  if (positions < 0) refuse("positions", std::to_string(positions), "0 or more");
  if (inv_freq.empty()) refuse("inv_freq", "nothing", "a number for each pair");
  for (const double one : inv_freq)
    if (!std::isfinite(one)) refuse("inv_freq", std::to_string(one), "finite numbers");
  require_positive("position_scale", scaling.position_scale);
  require_positive("temperature", scaling.temperature);
  RopeTables tables{positions, static_cast<std::int64_t>(inv_freq.size()), {}, {}};
  for (std::int64_t p = 0; p < positions; ++p)
    for (const double frequency : inv_freq) {
      const double angle = static_cast<double>(p) / scaling.position_scale * frequency;
      tables.cosine.push_back(static_cast<float>(scaling.temperature * std::cos(angle)));
      tables.sine.push_back(static_cast<float>(scaling.temperature * std::sin(angle)));
    }
  return tables;
}

}  // namespace tilewright
