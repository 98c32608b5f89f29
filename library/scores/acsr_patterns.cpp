// The patterns of tilewright/library/acsr.hpp.
#include <algorithm>
#include <tilewright/library/acsr.hpp>

#include "scores/acsr_refusals.hpp"

namespace tilewright {
namespace {

using Row = std::vector<AcsrSegment>;

/// The keys first, first + step … up to last, as far as there are keys.
AcsrSegment between(std::int64_t keys, std::int64_t first, std::int64_t last,
                    std::int64_t step = 1) {
  if (first < 0) first += (step - 1 - first) / step * step;
  last = std::min(last, keys - 1);
  const std::int64_t count = last < first ? 0 : (last - first) / step + 1;
  return {static_cast<std::int32_t>(count == 0 ? 0 : first), static_cast<std::int32_t>(step),
          static_cast<std::int32_t>(count)};
}

template <typename RowOf>
Acsr made(std::int64_t rows, std::int64_t keys, RowOf row_of) {
  std::vector<Row> all;
  for (std::int64_t q = 0; q < rows; ++q) all.push_back(row_of(q));
  return Acsr(keys, all);
}

void require(const char* name, std::int64_t number, std::int64_t least) {
  if (number < least || number > 1 << 30)
    library::refuse_acsr(name, std::to_string(number), std::to_string(least) + " to 1073741824");
}

}  // namespace

Acsr Acsr::windowed(std::int64_t rows, std::int64_t keys, std::int64_t width, bool causal) {
  require("width", width, 0);
  return made(rows, keys, [=](std::int64_t q) {
    return Row{between(keys, q - width, causal ? q : q + width)};
  });
}

Acsr Acsr::blocked(std::int64_t rows, std::int64_t keys, std::int64_t width) {
  require("width", width, 1);
  return made(rows, keys, [=](std::int64_t q) {
    return Row{between(keys, (q / width - 1) * width, (q / width + 1) * width - 1)};
  });
}

Acsr Acsr::strided(std::int64_t rows, std::int64_t keys, std::int64_t width, bool causal) {
  require("width", width, 1);
  return made(rows, keys, [=](std::int64_t q) {
    return Row{between(keys, q % width, causal ? q : keys - 1, width)};
  });
}

Acsr Acsr::dilated(std::int64_t rows, std::int64_t keys, std::int64_t width,
                   std::int64_t dilation) {
  require("width", width, 0);
  require("dilation", dilation, 1);
  return made(rows, keys, [=](std::int64_t q) {
    return Row{between(keys, q - width * dilation, q + width * dilation, dilation)};
  });
}

Acsr Acsr::fixed_local(std::int64_t rows, std::int64_t keys, std::int64_t width) {
  require("width", width, 1);
  return made(rows, keys, [=](std::int64_t q) { return Row{between(keys, q / width * width, q)}; });
}

Acsr Acsr::fixed_summary(std::int64_t rows, std::int64_t keys, std::int64_t width) {
  require("width", width, 1);
  return made(rows, keys, [=](std::int64_t q) { return Row{between(keys, width - 1, q, width)}; });
}

Acsr Acsr::merged_strided(std::int64_t rows, std::int64_t keys, std::int64_t width) {
  require("width", width, 1);
  return made(rows, keys, [=](std::int64_t q) {  // the stripe ends before the band begins
    return Row{between(keys, q - width + 1, q), between(keys, q % width, q - width, width)};
  });
}

Acsr Acsr::fixed_union(std::int64_t rows, std::int64_t keys, std::int64_t width) {
  require("width", width, 1);
  return made(rows, keys, [=](std::int64_t q) {
    const std::int64_t block = q / width * width;
    return Row{between(keys, block, q), between(keys, width - 1, block - 1, width)};
  });
}

Acsr Acsr::longformer(std::int64_t rows, std::int64_t keys, std::int64_t width,
                      std::int64_t tokens) {
  require("width", width, 0);
  require("tokens", tokens, 0);
  return made(rows, keys, [=](std::int64_t q) {
    if (q < tokens) return Row{between(keys, 0, keys - 1), {}};
    const std::int64_t first = std::max(q - width, tokens);
    return Row{between(keys, first, q + width), between(keys, 0, tokens - 1)};
  });
}

}  // namespace tilewright
