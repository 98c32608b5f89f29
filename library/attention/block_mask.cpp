// See tilewright/library/blocks.hpp: lists on the host, checked as they are made, and their copies
// in device memory.
#include <algorithm>
#include <limits>
#include <tilewright/error.hpp>
#include <tilewright/library/blocks.hpp>

#include "attention/block_checks.hpp"
#include "attention/blocks_errors.hpp"

namespace tilewright {
namespace {

constexpr std::int64_t most_entries = std::numeric_limits<std::int32_t>::max();

void require_size(const char* name, std::size_t given, std::int64_t wanted) {
  if (static_cast<std::int64_t>(given) == wanted) return;
  throw Error(errors::blocks["block-list-size-wrong"],
              std::string(name) + " has another number of elements than the shape says",
              {name, std::to_string(given), std::to_string(wanted), ""});
}

/// "indices[7], list 1, row 3": where a message points.
std::string place(std::int64_t entry, std::int64_t list, std::int64_t row) {
  return "indices[" + std::to_string(entry) + "], in row " + std::to_string(row) + " of list " +
         std::to_string(list);
}

}  // namespace

namespace library {

std::int64_t check(const BlockMaskShape& shape) {
  check_block_size("block_q", shape.block_q);
  check_block_size("block_kv", shape.block_kv);
  std::int64_t product = 1;
  bool empty = false;
  for (const auto& [name, value] : {std::pair{"batch", shape.batch},
                                    {"heads", shape.heads},
                                    {"rows", shape.rows},
                                    {"columns", shape.columns}}) {
    if (value < 0)
      throw Error(errors::blocks["block-list-size-wrong"], "the shape of a block list is negative",
                  {name, std::to_string(value), "0 or more", ""});
    if (value > 0 && product > most_entries / value)
      throw Error(errors::blocks["block-list-too-large"],
                  "a block list has room for more tiles than 32 bits number",
                  {name, std::to_string(product) + " * " + std::to_string(value),
                   "at most " + std::to_string(most_entries), ""});
    empty = empty || value == 0;
    product *= std::max<std::int64_t>(value, 1);
  }
  return empty ? 0 : product;
}

void check_block_size(const char* name, int size) {
  if (size >= 16 && size <= 512 && size % 16 == 0) return;
  throw Error(errors::blocks["block-size-invalid"], "a tile of a block list has no such size",
              {name, std::to_string(size), "a multiple of 16 up to 512", ""});
}

BlockListTensors list_tensors(CUdeviceptr address, const BlockMaskShape& shape,
                              std::int64_t entries, std::int64_t batch, std::int64_t heads) {
  const auto shared = [](const char* name, std::int64_t own, std::int64_t wanted) {
    if (own == wanted || own == 1) return own != wanted;
    throw Error(errors::blocks["block-list-disagrees"],
                "the list is for another number of " + std::string(name),
                {name, std::to_string(wanted), std::to_string(own), ""});
  };
  const bool one_batch = shared("batch", shape.batch, batch),
             one_head = shared("heads", shape.heads, heads);
  const auto rows = static_cast<CUdeviceptr>(shape.batch * shape.heads * shape.rows);
  TensorView begin{address,
                   i32,
                   {batch, heads, shape.rows},
                   {one_batch ? 0 : shape.heads * shape.rows, one_head ? 0 : shape.rows, 1}};
  TensorView end = begin;
  end.data += rows * sizeof(std::int32_t);
  return {
      .begin = std::move(begin),
      .end = std::move(end),
      .tiles = TensorView::contiguous(address + 2 * rows * sizeof(std::int32_t), i32, {entries}),
      .block_q = shape.block_q,
      .block_kv = shape.block_kv,
      .columns = shape.columns};
}

}  // namespace library

BlockMask BlockMask::from_csr(const BlockMaskShape& shape, std::span<const std::int32_t> indptr,
                              std::span<const std::int32_t> indices,
                              std::span<const std::uint8_t> cut) {
  library::check(shape);
  const std::int64_t lists = shape.batch * shape.heads;
  require_size("indptr", indptr.size(), lists * (shape.rows + 1));
  if (!cut.empty()) require_size("cut", cut.size(), static_cast<std::int64_t>(indices.size()));
  const auto count = static_cast<std::int64_t>(indices.size());
  if (count > most_entries)
    throw Error(errors::blocks["block-list-too-large"], "indices has too many elements",
                {"indices", std::to_string(count), "at most " + std::to_string(most_entries), ""});

  BlockMask mask;
  mask.shape_ = shape;
  mask.tiles_.assign(indices.begin(), indices.end());
  std::vector<std::int64_t> last_row(static_cast<std::size_t>(shape.columns), -1);
  for (std::int64_t list = 0; list < lists; ++list)
    for (std::int64_t row = 0; row < shape.rows; ++row) {
      const auto at = static_cast<std::size_t>(list * (shape.rows + 1) + row);
      const std::int64_t begin = indptr[at], end = indptr[at + 1];
      if (begin < 0 || end < begin || end > count)
        throw Error(errors::blocks["block-list-descends"],
                    "row " + std::to_string(row) + " of list " + std::to_string(list) +
                        " has no such stretch of indices",
                    {"indptr", std::to_string(begin) + ", " + std::to_string(end),
                     "ascending numbers from 0 to " + std::to_string(count), ""});
      for (std::int64_t entry = begin; entry < end; ++entry) {
        const std::int32_t tile = indices[static_cast<std::size_t>(entry)];
        if (tile < 0 || tile >= shape.columns)
          throw Error(errors::blocks["block-index-out-of-range"],
                      place(entry, list, row) + " names a tile that is not there",
                      {"indices", std::to_string(tile),
                       shape.columns == 0 ? "none: there are no columns"
                                          : "0 to " + std::to_string(shape.columns - 1),
                       ""});
        std::int64_t& seen = last_row[static_cast<std::size_t>(tile)];
        if (seen == list * shape.rows + row)
          throw Error(errors::blocks["block-index-twice"],
                      place(entry, list, row) + " names a tile for the second time",
                      {"indices", std::to_string(tile), "each tile once in a row", ""});
        seen = list * shape.rows + row;
      }
      mask.begin_.push_back(static_cast<std::int32_t>(begin));
      mask.end_.push_back(static_cast<std::int32_t>(end));
    }
  for (std::size_t i = 0; i < mask.tiles_.size(); ++i)
    if (cut.empty() || cut[i] != 0) mask.tiles_[i] = ~mask.tiles_[i];
  return mask;
}

BlockMask BlockMask::from_dense(const BlockMaskShape& shape,
                                std::span<const std::uint8_t> visited) {
  const std::int64_t all = library::check(shape);
  require_size("visited", visited.size(), all);
  std::vector<std::int32_t> indptr, indices;
  std::size_t at = 0;
  for (std::int64_t list = 0; list < shape.batch * shape.heads; ++list) {
    indptr.push_back(static_cast<std::int32_t>(indices.size()));
    for (std::int64_t row = 0; row < shape.rows; ++row) {
      for (std::int64_t column = 0; column < shape.columns; ++column)
        if (visited[at++] != 0) indices.push_back(static_cast<std::int32_t>(column));
      indptr.push_back(static_cast<std::int32_t>(indices.size()));
    }
  }
  return from_csr(shape, indptr, indices);
}

std::int64_t BlockMask::visited() const {
  std::int64_t sum = 0;
  for (std::size_t row = 0; row < begin_.size(); ++row) sum += end_[row] - begin_[row];
  return sum;
}

bool BlockMask::visits(std::int64_t batch, std::int64_t head, std::int64_t row,
                       std::int64_t column) const {
  const std::int64_t list = library::list_of(shape_.batch, shape_.heads, batch, head);
  const auto at = static_cast<std::size_t>(list * shape_.rows + row);
  return std::any_of(tiles_.begin() + begin_[at], tiles_.begin() + end_[at],
                     [&](std::int32_t entry) { return (entry < 0 ? ~entry : entry) == column; });
}

// One buffer: begin, end, tiles. Of an empty list there is a number all the same, so that no
// address is null.
BlockListMemory::BlockListMemory(const Device& device, const BlockMaskShape& shape)
    : shape_(shape), entries_(std::max<std::int64_t>(library::check(shape), 1)) {
  const std::int64_t rows = shape.batch * shape.heads * shape.rows;
  buffer_ = Buffer(device, static_cast<std::size_t>(2 * rows + entries_) * sizeof(std::int32_t));
}

BlockListMemory::BlockListMemory(const Device& device, const BlockMask& mask)
    : shape_(mask.shape()),
      entries_(std::max<std::int64_t>(static_cast<std::int64_t>(mask.tiles().size()), 1)) {
  std::vector<std::int32_t> all = mask.begin();
  all.insert(all.end(), mask.end().begin(), mask.end().end());
  all.insert(all.end(), mask.tiles().begin(), mask.tiles().end());
  if (mask.tiles().empty()) all.push_back(0);
  buffer_ = Buffer(device, all.size() * sizeof(std::int32_t));
  buffer_.upload(all.data(), buffer_.bytes());
}

BlockListTensors BlockListMemory::tensors(std::int64_t batch, std::int64_t heads) const {
  return library::list_tensors(buffer_.address(), shape_, entries_, batch, heads);
}

}  // namespace tilewright
