// Lists made on the host: what is in them, and what is refused before anything runs. Patterns as
// data: random blocks, BigBird.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <set>
#include <tilewright/error.hpp>
#include <tilewright/library/blocks.hpp>

#include "patterns/bigbird.hpp"
#include "patterns/random_blocks.hpp"

using namespace tilewright;
using namespace tilewright::library;

namespace {

using Numbers = std::vector<std::int32_t>;

void refused(const std::string& id, const std::string& argument, const std::string& value,
             const std::function<void()>& make) {
  CAPTURE(id);
  CAPTURE(argument);
  try {
    make();
    FAIL_CHECK("accepted");
  } catch (const Error& error) {
    INFO(std::string(error.what()));
    CHECK(std::string(error.id()) == id);
    CHECK(error.argument() == argument);
    CHECK(error.value() == value);
    CHECK_FALSE(error.allowed().empty());
  }
}

}  // namespace

TEST_CASE("a matrix of blocks in CSR form, unsorted, with marks and without") {
  const BlockMaskShape shape{.heads = 2, .rows = 2, .columns = 3};
  const Numbers indptr = {0, 2, 2, 2, 3, 4}, indices = {2, 0, 1, 1};
  const std::vector<std::uint8_t> cut = {0, 1, 1, 0};
  CHECK_NOTHROW(BlockMask::from_csr({.heads = 2, .rows = 2, .columns = 3},
                                    Numbers{0, 2, 2, 2, 3, 4}, indices, cut));
  const BlockMask marked = BlockMask::from_csr(shape, Numbers{0, 2, 2, 2, 3, 4}, indices, cut);
  CHECK(marked.begin() == Numbers{0, 2, 2, 3});
  CHECK(marked.end() == Numbers{2, 2, 3, 4});
  CHECK(marked.tiles() == Numbers{2, ~0, ~1, 1});
  CHECK(marked.visited() == 4);
  CHECK(marked.visits(0, 0, 0, 2));
  CHECK_FALSE(marked.visits(0, 0, 0, 1));
  CHECK(marked.visits(5, 1, 0, 1));  // the same for all sequences
  // Without marks a tile may hide anything.
  CHECK(BlockMask::from_csr(shape, indptr, indices).tiles() == Numbers{~2, ~0, ~1, ~1});
}

TEST_CASE("a matrix of truths gives its rows in order") {
  const BlockMask mask =
      BlockMask::from_dense({.batch = 2, .rows = 2, .columns = 3},
                            std::vector<std::uint8_t>{1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1, 1});
  CHECK(mask.begin() == Numbers{0, 2, 2, 3});
  CHECK(mask.end() == Numbers{2, 2, 3, 6});
  CHECK(mask.tiles() == Numbers{~0, ~2, ~1, ~0, ~1, ~2});
  CHECK(BlockMask::from_dense({}, {}).visited() == 0);
}

TEST_CASE("what is no list is refused by name") {
  const BlockMaskShape shape{.rows = 2, .columns = 3};
  const auto csr = [](const BlockMaskShape& of, const Numbers& indptr, const Numbers& indices,
                      const std::vector<std::uint8_t>& cut = {}) {
    return [=] { (void)BlockMask::from_csr(of, indptr, indices, cut); };
  };
  refused("block-list-size-wrong", "indptr", "4", csr(shape, {0, 1, 2, 2}, {0, 1}));
  refused("block-list-size-wrong", "indptr", "0", csr(shape, {}, {}));
  refused("block-list-size-wrong", "cut", "1", csr(shape, {0, 1, 2}, {0, 1}, {1}));
  refused("block-list-descends", "indptr", "2, 1", csr(shape, {0, 2, 1}, {0, 1}));
  refused("block-list-descends", "indptr", "-1, 1", csr(shape, {-1, 1, 1}, {0, 1}));
  refused("block-list-descends", "indptr", "1, 3", csr(shape, {0, 1, 3}, {0, 1}));
  refused("block-index-out-of-range", "indices", "3", csr(shape, {0, 1, 2}, {0, 3}));
  refused("block-index-out-of-range", "indices", "-1", csr(shape, {0, 1, 2}, {-1, 0}));
  refused("block-index-out-of-range", "indices", "0", csr({.rows = 1, .columns = 0}, {0, 1}, {0}));
  refused("block-index-twice", "indices", "1", csr(shape, {0, 3, 3}, {1, 0, 1}));
  refused("block-list-size-wrong", "rows", "-1", csr({.rows = -1}, {}, {}));
  refused("block-size-invalid", "block_q", "40", csr({.block_q = 40}, {0}, {}));
  refused("block-size-invalid", "block_kv", "1024", csr({.block_kv = 1024}, {0}, {}));
  refused("block-list-too-large", "columns", "1048576 * 4096",
          csr({.rows = 1 << 20, .columns = 4096}, {}, {}));
  refused("block-list-size-wrong", "visited", "5", [] {
    (void)BlockMask::from_dense({.rows = 2, .columns = 3}, std::vector<std::uint8_t>(5));
  });
  CHECK_NOTHROW(csr(shape, {0, 1, 2}, {1, 1})());  // in another row it is another tile
}

TEST_CASE("random blocks: as many as the density says, the same ones for the same seed") {
  const BlockMaskShape shape{.batch = 2, .heads = 3, .rows = 40, .columns = 50};
  for (const double density : {0.0, 0.1, 0.5, 1.0}) {
    CAPTURE(density);
    const BlockMask mask = random_blocks(shape, density, 7);
    const double share = static_cast<double>(mask.visited()) / (2 * 3 * 40 * 50);
    CHECK(share == doctest::Approx(density).epsilon(0.05));
    CHECK(mask.tiles() == random_blocks(shape, density, 7).tiles());
    if (density == 0.5) CHECK(mask.tiles() != random_blocks(shape, density, 8).tiles());
  }
  BlockMaskShape longer = shape;
  longer.rows = 60, longer.columns = 70;
  const BlockMask one = random_blocks(shape, 0.3, 1), other = random_blocks(longer, 0.3, 1);
  for (std::int64_t r = 0; r < 40; ++r)
    for (std::int64_t c = 0; c < 50; ++c)
      if (one.visits(1, 2, r, c) != other.visits(1, 2, r, c)) FAIL_CHECK(r << ", " << c);
  refused("random-blocks-invalid", "density", "1.500000",
          [&] { (void)random_blocks(shape, 1.5, 0); });
}

TEST_CASE("BigBird visits 2 nb + 2 (4 + r) + (nb - 4) (5 + r) blocks of each head") {
  for (const auto& [blocks, random_count] :
       {std::pair{64, 3}, {16, 3}, {8, 3}, {9, 4}, {5, 0}, {100, 7}}) {
    CAPTURE(blocks);
    BigBird pattern{.seqlen = blocks * 64, .heads = 3, .random_blocks = random_count};
    const auto random = bigbird_random_blocks(pattern, 11);
    const BlockMask mask = bigbird(pattern, random);
    const int r = random_count, nb = blocks;
    CHECK(mask.visited() == 3 * (2 * nb + 2 * (4 + r) + (nb - 4) * (5 + r)));
    if (blocks == 64) CHECK(mask.visited() == 3 * 622);
    if (blocks == 16 && r == 3) CHECK(mask.visited() == 3 * 142);
    pattern.seqlen -= 63;  // one row in the last block
    CHECK(bigbird(pattern, random).visited() == mask.visited());
    // What a row has without its random blocks, written out.
    for (int h = 0; h < 3; ++h)
      for (int i = 0; i < nb; ++i) {
        std::set<int> wanted = {0, nb - 1};
        if (i == 0 || i == nb - 1)
          for (int j = 0; j < nb; ++j) wanted.insert(j);
        else
          wanted.insert({i - 1, i, i + 1});
        const std::size_t fixed = wanted.size();
        for (int j = 0; j < r && i > 0 && i < nb - 1; ++j) {
          const int drawn = random[static_cast<std::size_t>((h * (nb - 2) + i - 1) * r + j)];
          CHECK_FALSE((i == 1 && drawn == nb - 2));
          CHECK_FALSE((i == nb - 2 && drawn == 1));
          wanted.insert(drawn);
        }
        CHECK(wanted.size() == fixed + (i == 0 || i == nb - 1 ? 0 : static_cast<std::size_t>(r)));
        for (int j = 0; j < nb; ++j)
          if (mask.visits(0, h, i, j) != wanted.contains(j))
            FAIL_CHECK(h << ", " << i << ", " << j);
      }
  }
}

TEST_CASE("BigBird: drawn per head, few blocks are dense, any table of blocks is a union") {
  const BigBird pattern{.seqlen = 16 * 32, .heads = 2, .block = 32};
  const auto random = bigbird_random_blocks(pattern, 3);
  CHECK(random == bigbird_random_blocks(pattern, 3));
  CHECK(random != bigbird_random_blocks(pattern, 4));
  const auto half = random.begin() + static_cast<std::ptrdiff_t>(random.size() / 2);
  CHECK_FALSE(std::equal(random.begin(), half, half));
  CHECK(bigbird({.seqlen = 7 * 64}, {}).visited() == 49);
  CHECK(bigbird_random_blocks({.seqlen = 7 * 64}, 1).empty());
  CHECK(bigbird({.seqlen = 0}, {}).visited() == 0);
  // Each row names what it has already: nothing counts twice.
  const std::vector<std::int32_t> first(random.size(), 0);
  CHECK(bigbird(pattern, first).visited() == 2 * (2 * 16 + 2 * 4 + 12 * 5));
  refused("random-blocks-invalid", "random", "3",
          [&] { (void)bigbird(pattern, std::vector<std::int32_t>(3)); });
  refused("random-blocks-invalid", "random", "16",
          [&] { (void)bigbird(pattern, std::vector<std::int32_t>(random.size(), 16)); });
  refused("random-blocks-invalid", "random_blocks", "-1",
          [] { (void)bigbird({.seqlen = 640, .random_blocks = -1}, {}); });
  refused("block-size-invalid", "block", "50",
          [] { (void)bigbird({.seqlen = 640, .block = 50}, {}); });
}
