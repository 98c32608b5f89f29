// Keys drawn for each row by itself: the pattern "random" of BigBird (arXiv 2007.14062), by token.
#pragma once

#include <cstdint>
#include <vector>

namespace tilewright::library {

/// [heads, seqlen_q, count]: for each row `count` different keys of all, or, causal, of those up to
/// the row's own (q + seqlen_kv - seqlen_q); where there are fewer, all of them and then -1. What a
/// row gets depends on the seed, its head and number, and on how many keys it may see.
std::vector<std::int32_t> random_keys(std::int64_t heads, std::int64_t seqlen_q,
                                      std::int64_t seqlen_kv, int count, bool causal,
                                      std::uint64_t seed);

}  // namespace tilewright::library
