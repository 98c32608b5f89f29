// Lists that a device makes from a predicate, against what looking at every pair says: visited
// tiles and marks, entry by entry. Then the attention that walks such a list.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "language/language_device.hpp"
#include "loops/block_list.hpp"

using namespace tilewright;
using namespace tilewright::test;
namespace own = tilewright::library;

namespace {

struct Sizes {
  std::int64_t batch = 2, heads = 3, rows = 70, keys = 100;
  int block_q = 16, block_kv = 32;
  std::int64_t list_rows() const { return (rows + block_q - 1) / block_q; }
  std::int64_t columns() const { return (keys + block_kv - 1) / block_kv; }
};

using Shows = std::function<bool(std::int64_t, std::int64_t, std::int64_t, std::int64_t)>;

/// What the list must be: begin and end of each row, and its entries in a row's room for all.
Problem listed(const Sizes& s, const Shows& shows) {
  const std::vector<std::int64_t> rows = {s.batch, s.heads, s.list_rows()};
  Data begin{i32, rows}, end{i32, rows};
  Data tiles{i32, {s.batch * s.heads * s.list_rows() * s.columns()}};
  tiles.expected.assign(at(tiles.size()), -1);  // as it was
  for (std::int64_t row = 0; row < s.batch * s.heads * s.list_rows(); ++row) {
    std::int64_t next = row * s.columns();
    begin.expected.push_back(static_cast<double>(next));
    for (std::int64_t c = 0; c < s.columns(); ++c) {
      bool any = false, all = true;
      const std::int64_t first = row % s.list_rows() * s.block_q;
      for (std::int64_t i = first; i < std::min(s.rows, first + s.block_q); ++i)
        for (std::int64_t j = c * s.block_kv; j < std::min(s.keys, (c + 1) * s.block_kv); ++j)
          (shows(row / s.list_rows() / s.heads, row / s.list_rows() % s.heads, i, j) ? any : all) =
              shows(row / s.list_rows() / s.heads, row / s.list_rows() % s.heads, i, j);
      if (any) tiles.expected[at(next++)] = static_cast<double>(all ? c : ~c);
    }
    end.expected.push_back(static_cast<double>(next));
  }
  return {{{"blocks_begin", begin}, {"blocks_end", end}, {"blocks_tiles", tiles}},
          {{"seqlen_q", static_cast<double>(s.rows)}, {"seqlen_kv", static_cast<double>(s.keys)}},
          {{"block_q", s.block_q}, {"block_kv", s.block_kv}}};
}

void declare(const Argument& argument) {
  detail::Trace::current("a table").gate().declare(argument);
}

/// Keys of the row's own document, which the tables say of each sequence.
struct OwnDocument {
  using Rows = In<"row_document", i32, own::B, own::M>;
  using Keys = In<"key_document", i32, own::B, own::N>;
  void arguments() const { declare(Rows::argument()), declare(Keys::argument()); }
  auto visible(auto b, auto, auto q, auto k, auto, auto) const {
    return load(Rows{}(b, q)) == load(Keys{}(b, k));
  }
};

/// Bits of a word per head and key, one for each eighth row.
struct Bits {
  using Words = In<"words", i32, own::HQ, own::N>;
  void arguments() const { declare(Words::argument()); }
  auto visible(auto, auto h, auto q, auto k, auto, auto) const {
    return (load(Words{}(h, k)) >> (q / 8 % 8) & 1) == 1;
  }
};

/// Causal, the ends aligned.
struct Causal {
  void arguments() const {}
  auto visible(auto, auto, auto q, auto k, auto rows, auto keys) const {
    return q + (keys - rows) >= k;
  }
};

}  // namespace

TEST_CASE("tiles of documents, bits and diagonals, and whether anything is hidden in them") {
  for (const auto& [rows, keys, block_q, block_kv] : {std::array{70, 100, 16, 32},
                                                      {64, 64, 16, 16},
                                                      {1, 1, 32, 16},
                                                      {33, 15, 64, 16},
                                                      {50, 300, 16, 128},
                                                      {100, 40, 128, 64}}) {
    CAPTURE(rows);
    CAPTURE(keys);
    Sizes s;
    s.rows = rows, s.keys = keys, s.block_q = block_q, s.block_kv = block_kv;

    Data row_document{i32, {s.batch, s.rows}}, key_document{i32, {s.batch, s.keys}};
    for (std::int64_t b = 0; b < s.batch; ++b) {  // documents of 19 rows, of 40 keys
      for (std::int64_t i = 0; i < s.rows; ++i) row_document.numbers.push_back((i + b) / 19);
      for (std::int64_t j = 0; j < s.keys; ++j) key_document.numbers.push_back((j + b) / 40);
    }
    Problem documents = listed(s, [&](auto b, auto, auto i, auto j) {
      return row_document.numbers[at(b * s.rows + i)] == key_document.numbers[at(b * s.keys + j)];
    });
    documents.tensors["row_document"] = row_document;
    documents.tensors["key_document"] = key_document;
    check(own::block_list_of(OwnDocument{}), documents);

    Data words{i32, {s.heads, s.keys}};
    words.numbers = integers(words.size(), 0, 255, 4);
    for (std::int64_t i = 0; i < words.size(); ++i)  // some all set, some all clear
      if (i % s.keys % 97 < 60) words.numbers[at(i)] = i / s.keys == 1 ? 0 : 255;
    Problem bits = listed(s, [&](auto, auto h, auto i, auto j) {
      return (static_cast<int>(words.numbers[at(h * s.keys + j)]) >> (i / 8 % 8) & 1) == 1;
    });
    bits.tensors["words"] = words;
    check(own::block_list_of(Bits{}), bits);

    check(own::block_list_of(Causal{}),
          listed(s, [&](auto, auto, auto i, auto j) { return i + s.keys - s.rows >= j; }));
  }
}
