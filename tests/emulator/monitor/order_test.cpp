// Order by fences and flags, between blocks and inside one: the patterns one by one, and random
// traces against happens-before worked out over all pairs of events.
#include <doctest/doctest.h>

#include <random>

#include "block.hpp"

using namespace monitor_tests;

namespace {

constexpr std::uint64_t data_at = 0x10000, flag_at = 0x20000;
using Kind = Strong::Kind;

struct OrderedBlock {
  OrderedBlock(Launch& launch, LaunchOrder& order, std::uint64_t number, unsigned warps = 2)
      : monitor(setup(launch, order, number, warps)), everyone((1u << warps) - 1) {}
  static BlockMonitor::Setup setup(Launch& launch, LaunchOrder& order, std::uint64_t number,
                                   unsigned warps) {
    BlockMonitor::Setup made = Block::setup(launch, warps, number, 1024);
    made.order = &order;
    return made;
  }
  // One lane of a warp acts.
  void plain(bool store, unsigned line, unsigned warp, std::uint64_t address) {
    const auto at = row<std::uint64_t>(address, 4);
    if (store) {
      monitor.global_write({line, 0}, warp, at.data(), 1, 4);
    } else {
      monitor.global_read({line, 0}, warp, at.data(), 1, 4);
    }
  }
  void strong(const Strong& how, unsigned line, unsigned warp, std::uint64_t address) {
    const auto at = row<std::uint64_t>(address, 4);
    monitor.global_strong({line, 0}, warp, at.data(), 1, 4, how);
    if (how.kind != Kind::write) monitor.global_observed(warp, at.data(), 1, how);
  }
  void fence(unsigned warp, bool device = true) { monitor.fence(warp, 1, device); }

  BlockMonitor monitor;
  std::uint32_t everyone;
};

struct Pass {
  bool fence_before = true, fence_after = true, device = true, across = true;
  Strong write{Kind::write, false, false, false}, read{Kind::read, false, false, false};
};

std::string passed(const Pass& pass) {
  Launch launch;
  const auto order = make_launch_order();
  OrderedBlock one(launch, *order, 0), other(launch, *order, 1);
  OrderedBlock& taker = pass.across ? other : one;
  const unsigned warp = pass.across ? 0 : 1;
  one.plain(true, 1, 0, data_at);
  if (pass.fence_before) one.fence(0, pass.device);
  one.strong(pass.write, 2, 0, flag_at);
  taker.strong(pass.read, 3, warp, flag_at);
  if (pass.fence_after) taker.fence(warp, pass.device);
  taker.plain(false, 4, warp, data_at);
  return launch.kinds();
}

}  // namespace

TEST_CASE("a release and an acquire order, each part missing is a race") {
  CHECK(passed({}) == "none");
  CHECK(passed({false}) == "data_race");
  CHECK(passed({true, false}) == "data_race");
  CHECK(passed({true, true, false}) == "data_race");    // block fences between blocks
  CHECK(passed({true, true, false, false}) == "none");  // and inside one
  CHECK(passed({false, true, true, false}) == "data_race");
  const Strong released{Kind::write, false, true, false}, acquired{Kind::read, true, false, false};
  CHECK(passed({false, false, true, true, released, acquired}) == "none");
  CHECK(passed({false, true, true, true, released}) == "none");
  CHECK(passed({false, false, true, true, released}) == "data_race");
  const Strong narrow_release{Kind::write, false, true, true};
  CHECK(passed({false, false, true, false, narrow_release, acquired}) == "none");
  CHECK(passed({false, false, true, true, narrow_release, acquired}) == "data_race");
}

TEST_CASE("read-modify-writes carry on what was released, a store begins anew") {
  for (const bool store : {false, true}) {
    Launch launch;
    const auto order = make_launch_order();
    OrderedBlock one(launch, *order, 0), middle(launch, *order, 1), last(launch, *order, 2);
    one.plain(true, 1, 0, data_at);
    one.strong({Kind::update, false, true, false}, 2, 0, flag_at);
    middle.strong({store ? Kind::write : Kind::update, false, false, false}, 3, 0, flag_at);
    last.strong({Kind::read, true, false, false}, 4, 0, flag_at);
    last.plain(false, 5, 0, data_at);
    CHECK(launch.kinds() == (store ? "data_race" : "none"));
  }
}

TEST_CASE("strong accesses race with plain ones, not with each other") {
  const auto clash = [](bool first_strong, bool second_strong, bool narrow) {
    Launch launch;
    const auto order = make_launch_order();
    OrderedBlock one(launch, *order, 0), other(launch, *order, 1);
    const Strong how{Kind::write, false, false, narrow};
    first_strong ? one.strong(how, 1, 0, flag_at) : one.plain(true, 1, 0, flag_at);
    second_strong ? other.strong(how, 2, 0, flag_at) : other.plain(true, 2, 0, flag_at);
    return launch.kinds();
  };
  CHECK(clash(true, true, false) == "none");
  CHECK(clash(true, false, false) == "data_race");
  CHECK(clash(false, true, false) == "data_race");
  CHECK(clash(true, true, true) == "data_race");
  // Reads do not race, whatever their strength.
  Launch launch;
  const auto order = make_launch_order();
  OrderedBlock one(launch, *order, 0), other(launch, *order, 1);
  one.strong({Kind::read, false, false, false}, 1, 0, flag_at);
  other.plain(false, 2, 0, flag_at);
  one.plain(false, 3, 1, flag_at);
  CHECK(launch.kinds() == "none");
}

namespace {

struct Event {
  enum What { plain_read, plain_write, strong, fence, barrier } what{};
  unsigned block = 0, warp = 0;
  std::uint64_t address = 0;
  Strong how;
  bool device = true;
};

using Matrix = std::vector<std::vector<char>>;

void close(Matrix& reaches) {
  for (std::size_t k = 0; k < reaches.size(); ++k) {
    for (std::size_t i = 0; i < reaches.size(); ++i) {
      if (!reaches[i][k]) continue;
      for (std::size_t j = 0; j < reaches.size(); ++j) reaches[i][j] |= reaches[k][j];
    }
  }
}

bool writes(const Event& e) {
  return e.what == Event::plain_write || (e.what == Event::strong && e.how.kind != Kind::read);
}

/// Whether two events race, from the definition: edges of program order and barriers, then of every
/// release (a fence before a strong write, or the write) that an acquire (a strong read that sees
/// it, or a fence after that) observes, then all paths.
bool any_race(const std::vector<Event>& events) {
  const std::size_t count = events.size();
  Matrix inside(count, std::vector<char>(count, 0));
  for (std::size_t j = 0; j < count; ++j) {
    inside[j][j] = 1;
    for (std::size_t i = 0; i < j; ++i) {
      const bool block = events[i].block == events[j].block;
      const bool joins = events[i].what == Event::barrier || events[j].what == Event::barrier;
      if (block && (joins || events[i].warp == events[j].warp)) inside[i][j] = 1;
    }
  }
  close(inside);
  Matrix before = inside;
  for (std::size_t w = 0; w < count; ++w) {
    if (events[w].what != Event::strong || events[w].how.kind == Kind::read) continue;
    for (std::size_t r = w + 1; r < count; ++r) {
      const Event &write = events[w], &read = events[r];
      if (read.what != Event::strong || read.address != write.address) continue;
      const bool same = write.block == read.block;
      const bool reaches = same || (!write.how.block_scope && !read.how.block_scope);
      if (reaches && read.how.kind != Kind::write) {
        std::vector<std::size_t> releases, acquires;
        for (std::size_t f = 0; f < count; ++f) {
          if (events[f].what != Event::fence || (!same && !events[f].device)) continue;
          if (inside[f][w]) releases.push_back(f);
          if (inside[r][f]) acquires.push_back(f);
        }
        if (write.how.release) releases.push_back(w);
        if (read.how.acquire) acquires.push_back(r);
        for (const std::size_t f : releases)
          for (const std::size_t g : acquires) before[f][g] = 1;
      }
      if (read.how.kind == Kind::write) break;  // a later read does not see `w` any more
    }
  }
  close(before);
  for (std::size_t j = 0; j < count; ++j) {
    for (std::size_t i = 0; i < j; ++i) {
      const Event &a = events[i], &b = events[j];
      if (a.what > Event::strong || b.what > Event::strong || a.address != b.address) continue;
      if (!writes(a) && !writes(b)) continue;
      const bool both = a.what == Event::strong && b.what == Event::strong;
      const bool narrow = a.block != b.block && (a.how.block_scope || b.how.block_scope);
      if ((!both || narrow) && !before[i][j]) return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("random traces of fences, flags and barriers agree with happens-before over all pairs") {
  std::mt19937 random(2024);
  unsigned races = 0, silent = 0;
  for (unsigned trace = 0; trace < 60000; ++trace) {
    std::vector<Event> events;
    const unsigned length = 4 + random() % 20;
    for (unsigned k = 0; k < length; ++k) {
      Event made;
      const unsigned roll = random() % 18;
      made.what = roll < 2    ? Event::plain_read
                  : roll < 3  ? Event::plain_write
                  : roll < 10 ? Event::strong
                  : roll < 15 ? Event::fence
                              : Event::barrier;
      made.block = random() % 2;
      made.warp = random() % 2;
      const bool flag = made.what == Event::strong ? random() % 8 != 0 : random() % 40 == 0;
      made.address = (flag ? flag_at : data_at) + 64 * (random() % 4 == 0);
      made.device = random() % 4 != 0;
      if (made.what == Event::strong) {
        made.how.kind = static_cast<Kind>(random() % 3);
        made.how.acquire = random() % 3 == 0 && made.how.kind != Kind::write;
        made.how.release = random() % 3 == 0 && made.how.kind != Kind::read;
        made.how.block_scope = random() % 8 == 0;
      }
      events.push_back(made);
    }
    Launch launch;
    const auto order = make_launch_order();
    {
      std::vector<std::unique_ptr<OrderedBlock>> blocks;
      for (unsigned b = 0; b < 2; ++b)
        blocks.push_back(std::make_unique<OrderedBlock>(launch, *order, b));
      unsigned line = 0;
      for (const Event& e : events) {
        OrderedBlock& block = *blocks[e.block];
        ++line;
        switch (e.what) {
          case Event::plain_read: block.plain(false, line, e.warp, e.address); break;
          case Event::plain_write: block.plain(true, line, e.warp, e.address); break;
          case Event::strong: block.strong(e.how, line, e.warp, e.address); break;
          case Event::fence: block.fence(e.warp, e.device); break;
          case Event::barrier: block.monitor.barrier(block.everyone); break;
        }
      }
    }
    const bool expected = any_race(events);
    (expected ? races : silent) += 1;
    CAPTURE(trace);
    REQUIRE((launch.kinds() == "data_race") == expected);
  }
  CHECK(races > 500);
  CHECK(silent > 500);
}
