// See gathered_keys.hpp. Memory and time are of the size of the graph: a row's keys are looked at
// once to gather a tile's, and once to set their bits.
#include "patterns/gathered_keys.hpp"

#include <algorithm>
#include <limits>
#include <tilewright/error.hpp>

#include "attention/block_checks.hpp"
#include "attention/blocks_errors.hpp"

namespace tilewright::library {
namespace {

using Numbers = std::span<const std::int32_t>;

void require(const TokenGraph& graph, Numbers indptr) {
  check_block_size("tile_q", graph.tile_q);
  check_block_size("tile_kv", graph.tile_kv);
  if (graph.tile_kv % 32 != 0)
    throw Error(errors::blocks["block-size-invalid"], "a tile of slots is no whole words of bits",
                {"tile_kv", std::to_string(graph.tile_kv), "a multiple of 32 up to 512", ""});
  check({.batch = graph.batch, .rows = graph.seqlen_q, .columns = 1});
  check({.rows = 1, .columns = graph.seqlen_kv});
  const std::int64_t wanted = graph.batch * (graph.seqlen_q + 1);
  if (static_cast<std::int64_t>(indptr.size()) != wanted)
    throw Error(errors::blocks["block-list-size-wrong"],
                "indptr has another number of elements than the graph says",
                {"indptr", std::to_string(indptr.size()), std::to_string(wanted), ""});
}

/// The keys of one row, checked; `last_row` has for each key the row that named it last.
Numbers keys_of(const TokenGraph& graph, Numbers indptr, Numbers indices, std::int64_t b,
                std::int64_t row, std::vector<std::int64_t>& last_row) {
  const auto at = static_cast<std::size_t>(b * (graph.seqlen_q + 1) + row);
  const std::int64_t begin = indptr[at], end = indptr[at + 1];
  const std::string place = "row " + std::to_string(row) + " of sequence " + std::to_string(b);
  if (begin < 0 || end < begin || end > static_cast<std::int64_t>(indices.size()))
    throw Error(errors::blocks["block-list-descends"], place + " has no such stretch of indices",
                {"indptr", std::to_string(begin) + ", " + std::to_string(end),
                 "ascending numbers from 0 to " + std::to_string(indices.size()), ""});
  const Numbers keys =
      indices.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  for (const std::int32_t key : keys) {
    if (key < 0 || key >= graph.seqlen_kv)
      throw Error(
          errors::blocks["block-index-out-of-range"], place + " names a key that is not there",
          {"indices", std::to_string(key), "0 to " + std::to_string(graph.seqlen_kv - 1), ""});
    std::int64_t& seen = last_row[static_cast<std::size_t>(key)];
    if (seen == b * graph.seqlen_q + row)
      throw Error(errors::blocks["block-index-twice"], place + " names a key for the second time",
                  {"indices", std::to_string(key), "each key once in a row", ""});
    seen = b * graph.seqlen_q + row;
  }
  return keys;
}

}  // namespace

GatheredKeys gather_keys(const TokenGraph& graph, Numbers indptr, Numbers indices) {
  require(graph, indptr);
  const auto tile_q = static_cast<std::size_t>(graph.tile_q),
             tile_kv = static_cast<std::size_t>(graph.tile_kv);
  // Slots and words of bits are both numbered in 32 bits.
  constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
  const std::size_t most_slots = std::min(most, most / tile_q * 32);
  std::vector<std::int64_t> last_row(static_cast<std::size_t>(graph.seqlen_kv), -1);
  std::vector<std::size_t> slot_of(static_cast<std::size_t>(graph.seqlen_kv), 0);
  GatheredKeys made;
  for (std::int64_t b = 0; b < graph.batch; ++b)
    for (std::int64_t first = 0; first < graph.seqlen_q; first += graph.tile_q) {
      const std::int64_t rows = std::min<std::int64_t>(graph.tile_q, graph.seqlen_q - first);
      std::vector<std::int32_t> keys;
      for (std::int64_t row = first; row < first + rows; ++row) {
        const Numbers own = keys_of(graph, indptr, indices, b, row, last_row);
        keys.insert(keys.end(), own.begin(), own.end());
      }
      std::sort(keys.begin(), keys.end());
      keys.erase(std::unique(keys.begin(), keys.end()), keys.end());

      const std::size_t start = made.keys.size(), distinct = keys.size();
      for (std::size_t i = 0; i < distinct; ++i)
        slot_of[static_cast<std::size_t>(keys[i])] = start + i;
      keys.resize((distinct + tile_kv - 1) / tile_kv * tile_kv, -1);
      if (start + keys.size() > most_slots)
        throw Error(
            errors::blocks["block-list-too-large"],
            "the graph gathers more keys than 32 bits number",
            {"indices", std::to_string(start + keys.size()), "fewer keys, or larger tiles", ""});
      made.keys.insert(made.keys.end(), keys.begin(), keys.end());
      made.bits.resize(made.keys.size() / 32 * tile_q, 0);
      for (std::int64_t row = first; row < first + rows; ++row) {
        const auto at = static_cast<std::size_t>(b * (graph.seqlen_q + 1) + row);
        for (std::int32_t i = indptr[at]; i < indptr[at + 1]; ++i) {
          const std::size_t slot =
              slot_of[static_cast<std::size_t>(indices[static_cast<std::size_t>(i)])];
          std::int32_t& word =
              made.bits[slot / 32 * tile_q + static_cast<std::size_t>(row - first)];
          word = static_cast<std::int32_t>(static_cast<std::uint32_t>(word) | 1u << slot % 32);
        }
      }
      made.begin.push_back(static_cast<std::int32_t>(made.tiles.size()));
      for (std::size_t at = start; at < made.keys.size(); at += tile_kv) {
        bool full = true;
        for (std::size_t word = at / 32; word < (at + tile_kv) / 32; ++word)
          for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row)
            full = full && made.bits[word * tile_q + row] == -1;
        const auto tile = static_cast<std::int32_t>(at / tile_kv);
        made.tiles.push_back(full ? tile : ~tile);
      }
      made.end.push_back(static_cast<std::int32_t>(made.tiles.size()));
    }
  return made;
}

}  // namespace tilewright::library
