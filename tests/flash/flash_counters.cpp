// What the emulator counts is what the algorithm needs: each byte of q once per tile of rows, k and
// v once per visited tile, four operations per element and multiplication, and no bank conflict.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "flash_device.hpp"

using namespace tilewright;
using namespace tilewright::test;

TEST_CASE("tensor operations and global bytes of whole tiles, in closed form") {
  for (const Mask mask : {Mask::none, Mask::bottom_right})
    for (const std::int64_t dim : {64, 128}) {
      const Shape s{2, 4, 2, 768, 768, dim, dim, mask, bf16};  // whole tiles of 128 and of 96
      CAPTURE(describe(s));
      const Plan& plan = flash_plan(s);
      const auto& tile = plan.program().aligned.schedule.tile;
      const std::int64_t rows = tile.at("q"), keys = tile.at("kv");
      REQUIRE(s.q % rows == 0);
      REQUIRE(s.kv % keys == 0);
      std::int64_t visited = 0;  // of one head, counted pair by pair
      for (std::int64_t m = 0; m < s.q; m += rows)
        for (std::int64_t n = 0; n < s.kv; n += keys)
          visited += mask == Mask::none || n <= m + rows - 1;
      const std::int64_t heads = s.batch * s.heads;
      const auto counted = nlohmann::json::parse(launch(plan, s, random_problem(s, 1)).counters);
      CHECK(counted.at("tensor_ops") == 4 * heads * visited * rows * keys * s.d);
      CHECK(counted.at("global_load_bytes") ==
            2 * heads * (s.q * s.d + visited * keys * (s.d + s.e)));
      CHECK(counted.at("global_store_bytes") == heads * s.q * (2 * s.e + 4));
      // Whole sectors: every row is read and written in full ones; a warp's 16 rows of lse are two.
      CHECK(counted.at("global_load_sectors") ==
            counted.at("global_load_bytes").get<std::int64_t>() / 32);
      CHECK(counted.at("global_store_sectors") == heads * s.q * (2 * s.e + 4) / 32);
      // Shared memory, in passes of 128 bytes: q in and, once or for every tile, out to its own
      // warp; k and v in and out to every warp; the result in and out.
      const std::int64_t warps = plan.program().aligned.text.threads / 32,
                         blocks = heads * s.q / rows,
                         reads_of_q = dim == 64 ? blocks : heads * visited;
      CHECK(counted.at("shared_wavefronts") ==
            2 *
                (rows * s.d * (blocks + reads_of_q) +
                 heads * visited * keys * (s.d + s.e) * (1 + warps) + blocks * 2 * rows * s.e) /
                128);
    }
}

TEST_CASE("bank conflicts") {
  for (const auto& [d, e] : {std::pair{64, 64}, std::pair{128, 128}, std::pair{80, 48}}) {
    const Shape s{1, 2, 1, 256, 256, d, e, Mask::bottom_right, d == 80 ? f16 : bf16};
    CAPTURE(describe(s));
    const Outcome outcome = launch(flash_plan(s), s, random_problem(s, 1));
    CHECK(outcome.aligned);
    const auto counted = nlohmann::json::parse(outcome.counters);
    CHECK(counted.at("shared_accesses") > 0);
    const std::int64_t accesses = counted.at("shared_accesses"),
                       conflicts = counted.at("shared_conflicts");
    // Rows of whole 128-byte lines have none; the padded rows of other widths keep a few per cent.
    CHECK(conflicts <= (d % 64 == 0 && e % 64 == 0 ? 0 : accesses / 33));
    CHECK(counted.at("shared_wavefronts") == accesses + conflicts);
  }
}
