// See tilewright/library/token_graph.hpp. A row's keys are looked at once to gather those of its
// tile, and once to set their bits.
#include <algorithm>
#include <limits>
#include <tilewright/error.hpp>
#include <tilewright/library/token_graph.hpp>

#include "attention/block_checks.hpp"
#include "attention/blocks_errors.hpp"

namespace tilewright {
namespace {

using Numbers = std::span<const std::int32_t>;
constexpr std::size_t word_bits = 32;

std::size_t index(std::int64_t number) { return static_cast<std::size_t>(number); }

void require(const TokenGraphShape& shape, Numbers indptr) {
  library::check_graph_tiles(shape.tile_q, shape.tile_kv);
  library::check({.batch = shape.batch, .heads = shape.heads, .rows = 1, .columns = 1});
  for (const auto& [name, value] :
       {std::pair{"seqlen_q", shape.seqlen_q}, {"seqlen_kv", shape.seqlen_kv}})
    if (value < 0 || value > std::numeric_limits<std::int32_t>::max())
      throw Error(errors::blocks["block-list-size-wrong"], "a graph has no such length",
                  {name, std::to_string(value), "0 to 2147483647", ""});
  const std::int64_t wanted = shape.batch * shape.heads * (shape.seqlen_q + 1);
  if (static_cast<std::int64_t>(indptr.size()) != wanted)
    throw Error(errors::blocks["block-list-size-wrong"],
                "indptr has another number of elements than the graph says",
                {"indptr", std::to_string(indptr.size()), std::to_string(wanted), ""});
}

/// The rows of all lists, one after the other, and which of them named each key last.
class Rows {
 public:
  Rows(const TokenGraphShape& shape, Numbers indptr, Numbers indices)
      : shape_(shape),
        indptr_(indptr),
        indices_(indices),
        last_row_(index(shape.seqlen_kv), std::int64_t{-1}) {}

  Numbers keys(std::int64_t list, std::int64_t row) const {
    const std::size_t at = index(list * (shape_.seqlen_q + 1) + row);
    return indices_.subspan(index(indptr_[at]), index(indptr_[at + 1] - indptr_[at]));
  }

  void check(std::int64_t list, std::int64_t row) {
    const std::size_t at = index(list * (shape_.seqlen_q + 1) + row);
    const std::int64_t begin = indptr_[at], end = indptr_[at + 1];
    const std::string place = "row " + std::to_string(row) + " of list " + std::to_string(list);
    if (begin < 0 || end < begin || end > static_cast<std::int64_t>(indices_.size()))
      throw Error(errors::blocks["block-list-descends"], place + " has no such stretch of indices",
                  {"indptr", std::to_string(begin) + ", " + std::to_string(end),
                   "ascending numbers from 0 to " + std::to_string(indices_.size()), ""});
    for (const std::int32_t key : keys(list, row)) {
      if (key < 0 || key >= shape_.seqlen_kv)
        throw Error(errors::blocks["block-index-out-of-range"],
                    place + " names a key that is not there",
                    {"indices", std::to_string(key),
                     shape_.seqlen_kv == 0 ? "none: there are no keys"
                                           : "0 to " + std::to_string(shape_.seqlen_kv - 1),
                     ""});
      std::int64_t& seen = last_row_[index(key)];
      if (seen == list * shape_.seqlen_q + row)
        throw Error(errors::blocks["block-index-twice"], place + " names a key for the second time",
                    {"indices", std::to_string(key), "each key once in a row", ""});
      seen = list * shape_.seqlen_q + row;
    }
  }

 private:
  const TokenGraphShape& shape_;
  Numbers indptr_, indices_;
  std::vector<std::int64_t> last_row_;
};

}  // namespace

TokenGraph TokenGraph::from_csr(const TokenGraphShape& shape, Numbers indptr, Numbers indices) {
  require(shape, indptr);
  const std::size_t tile_q = index(shape.tile_q), tile_kv = index(shape.tile_kv);
  // Slots and words of bits are both numbered in 32 bits.
  constexpr std::size_t most = std::numeric_limits<std::int32_t>::max();
  const std::size_t most_slots = std::min(most, most / tile_q * word_bits);
  Rows rows(shape, indptr, indices);
  std::vector<std::size_t> slot_of(index(shape.seqlen_kv));
  TokenGraph made;
  made.shape_ = shape;
  for (std::int64_t list = 0; list < shape.batch * shape.heads; ++list)
    for (std::int64_t first = 0; first < shape.seqlen_q; first += shape.tile_q) {
      const std::int64_t end = std::min<std::int64_t>(first + shape.tile_q, shape.seqlen_q);
      std::vector<std::int32_t> keys;
      for (std::int64_t row = first; row < end; ++row) {
        rows.check(list, row);
        const Numbers own = rows.keys(list, row);
        keys.insert(keys.end(), own.begin(), own.end());
      }
      std::sort(keys.begin(), keys.end());
      keys.erase(std::unique(keys.begin(), keys.end()), keys.end());

      const std::size_t start = made.keys_.size();
      for (std::size_t i = 0; i < keys.size(); ++i) slot_of[index(keys[i])] = start + i;
      keys.resize(
          index(library::tiles_in(static_cast<std::int64_t>(keys.size()), shape.tile_kv)) * tile_kv,
          -1);
      if (start + keys.size() > most_slots)
        throw Error(
            errors::blocks["block-list-too-large"],
            "the graph gathers more keys than 32 bits number",
            {"indices", std::to_string(start + keys.size()), "fewer keys, or larger tiles", ""});
      made.keys_.insert(made.keys_.end(), keys.begin(), keys.end());
      made.bits_.resize(made.keys_.size() / word_bits * tile_q);
      for (std::int64_t row = first; row < end; ++row)
        for (const std::int32_t key : rows.keys(list, row)) {
          const std::size_t slot = slot_of[index(key)];
          std::int32_t& word = made.bits_[slot / word_bits * tile_q + index(row - first)];
          word =
              static_cast<std::int32_t>(static_cast<std::uint32_t>(word) | 1u << slot % word_bits);
        }
      made.begin_.push_back(static_cast<std::int32_t>(made.tiles_.size()));
      for (std::size_t at = start; at < made.keys_.size(); at += tile_kv) {
        bool full = true;
        for (std::size_t word = at / word_bits; word < (at + tile_kv) / word_bits; ++word)
          for (std::size_t row = 0; row < index(end - first); ++row)
            full = full && made.bits_[word * tile_q + row] == -1;
        const auto tile = static_cast<std::int32_t>(at / tile_kv);
        made.tiles_.push_back(full ? tile : ~tile);
      }
      made.end_.push_back(static_cast<std::int32_t>(made.tiles_.size()));
    }
  return made;
}

// One buffer: begin, end, tiles, keys, bits. Of what is empty there is a number all the same, so
// that no address is null.
TokenGraphMemory::TokenGraphMemory(const Device& device, const TokenGraph& graph)
    : shape_(graph.shape()),
      tiles_(std::max<std::int64_t>(graph.visited(), 1)),
      slots_(tiles_ * shape_.tile_kv) {
  std::vector<std::int32_t> all = graph.begin();
  all.insert(all.end(), graph.end().begin(), graph.end().end());
  const auto add = [&all](const std::vector<std::int32_t>& numbers, std::int64_t room) {
    const std::size_t end = all.size() + index(room);
    all.insert(all.end(), numbers.begin(), numbers.end());
    all.resize(end);
  };
  add(graph.tiles(), tiles_);
  add(graph.keys(), slots_);
  add(graph.bits(), slots_ / static_cast<std::int64_t>(word_bits) * shape_.tile_q);
  buffer_ = Buffer(device, all.size() * sizeof(std::int32_t));
  buffer_.upload(all.data(), buffer_.bytes());
}

TokenGraphTensors TokenGraphMemory::tensors(std::int64_t batch, std::int64_t heads) const {
  const std::int64_t rows = library::tiles_in(shape_.seqlen_q, shape_.tile_q);
  BlockListTensors list = library::list_tensors(
      buffer_.address(), {shape_.batch, shape_.heads, rows, 0, shape_.tile_q, shape_.tile_kv},
      tiles_, batch, heads);
  const auto behind = [&](const TensorView& tensor, std::int64_t extent) {
    const auto bytes = static_cast<CUdeviceptr>(tensor.extents[0]) * sizeof(std::int32_t);
    return TensorView::contiguous(tensor.data + bytes, i32, {extent});
  };
  TensorView keys = behind(list.tiles, slots_);
  TensorView bits = behind(keys, slots_ / static_cast<std::int64_t>(word_bits) * shape_.tile_q);
  return {.slots = std::move(list),
          .keys = std::move(keys),
          .bits = std::move(bits),
          .seqlen_kv = shape_.seqlen_kv};
}

}  // namespace tilewright
