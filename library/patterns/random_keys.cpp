// See random_keys.hpp.
#include "patterns/random_keys.hpp"

#include <algorithm>

#include "inputs/philox.hpp"

namespace tilewright::library {

std::vector<std::int32_t> random_keys(std::int64_t heads, std::int64_t seqlen_q,
                                      std::int64_t seqlen_kv, int count, bool causal,
                                      std::uint64_t seed) {
  const auto word = [](std::int64_t number) { return static_cast<std::uint32_t>(number); };
  std::vector<std::int32_t> keys;
  for (std::int64_t h = 0; h < heads; ++h)
    for (std::int64_t q = 0; q < seqlen_q; ++q) {
      const std::int64_t own = q + seqlen_kv - seqlen_q + 1;
      const std::int64_t of = causal ? std::clamp<std::int64_t>(own, 0, seqlen_kv) : seqlen_kv;
      const auto row = static_cast<std::ptrdiff_t>(keys.size());
      // Floyd's sample: the i-th of the last `taken` numbers, or one drawn below it.
      const std::int64_t taken = std::min<std::int64_t>(count, of);
      for (std::int64_t top = of - taken; top < of; ++top) {
        const auto bits = inputs::philox4x32({word(q), word(h), word(top), 11},
                                             {word(static_cast<std::int64_t>(seed)),
                                              word(static_cast<std::int64_t>(seed >> 32))})[0];
        const auto drawn = static_cast<std::int32_t>(bits % static_cast<std::uint64_t>(top + 1));
        const bool known = std::find(keys.begin() + row, keys.end(), drawn) != keys.end();
        keys.push_back(known ? static_cast<std::int32_t>(top) : drawn);
      }
      keys.resize(static_cast<std::size_t>(row + count), -1);
    }
  return keys;
}

}  // namespace tilewright::library
