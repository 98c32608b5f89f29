// Where temporaries lie, on random plans: aligned, inside the total, and no two of overlapping
// lives share a byte; never more than all of them side by side.
#include <doctest/doctest.h>

#include <random>

#include "workspace.hpp"

using namespace tilewright;

TEST_CASE("lives that overlap share no byte") {
  std::mt19937 random(5);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  int shared = 0;
  for (int round = 0; round < 300; ++round) {
    Signature signature;
    struct Life {
      int first, last;
    };
    std::vector<Life> lives;
    const int count = 1 + below(8);
    for (int i = 0; i < count; ++i) {
      const int first = below(10), last = first + below(4);
      const std::string name = "t" + std::to_string(i);
      Argument argument{Argument::Kind::out, name, DType::f16, {"d" + std::to_string(below(3))}};
      argument.temporary = true;
      signature.add(argument, first, "a step");
      argument.kind = Argument::Kind::in;
      signature.add(argument, last, "a step");
      lives.push_back({first, last});
    }
    std::vector<std::int64_t> extents;
    for (std::size_t i = 0; i < signature.dimensions().size(); ++i)
      extents.push_back(below(5) == 0 ? 0 : 1 + below(2000));
    std::vector<WorkspaceLayout::Piece> pieces;
    const std::size_t total = WorkspaceLayout(signature).place(extents, pieces);
    REQUIRE(pieces.size() == lives.size());
    std::size_t side_by_side = 0;
    for (const auto& a : pieces) {
      side_by_side += a.bytes;
      const auto& slot = signature.slots()[static_cast<std::size_t>(a.slot)];
      const std::int64_t extent = extents[static_cast<std::size_t>(slot.dims[0])];
      CHECK(a.bytes >= static_cast<std::size_t>(2 * extent));
      CHECK(a.offset % 256 == 0);
      CHECK(a.offset + a.bytes <= total);
      for (const auto& b : pieces) {
        if (&a == &b) continue;
        const Life x = lives[static_cast<std::size_t>(a.slot)],
                   y = lives[static_cast<std::size_t>(b.slot)];
        const bool together = x.first <= y.last && y.first <= x.last;
        const bool apart = a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset ||
                           a.bytes == 0 || b.bytes == 0;
        CHECK((apart || !together));
        shared += !apart;
      }
    }
    CHECK(total <= side_by_side);
  }
  CHECK(shared > 100);
}
