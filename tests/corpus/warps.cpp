// Oracles of cuda/warps.cu: every lane's result from its definition, lane by lane.
#include <algorithm>

#include "cases.hpp"

namespace tilewright::corpus {
namespace {

constexpr int threads = 64;

template <class Body>
std::vector<int> by_thread(Body body) {
  std::vector<int> all;
  for (int t = 0; t < threads; ++t) {
    for (int k = 0; k < 8; ++k) all.push_back(body(t, k));
  }
  return all;
}

int vote(const std::vector<int>& x, int t, int k) {
  const int first = t / 32 * 32;
  unsigned result = 0;
  const auto lanes = [&](auto&& holds) {
    unsigned mask = 0;
    for (int l = 0; l < 32; ++l) mask |= unsigned(holds(x[std::size_t(first + l)], l)) << l;
    return mask;
  };
  const int mine = x[std::size_t(t)];
  const bool thousands = lanes([&](int v, int) { return v / 1000 == mine / 1000; }) == ~0u;
  switch (k) {
    case 0: result = lanes([](int v, int) { return v > 0; }); break;
    case 1: result = lanes([](int v, int) { return v > 100; }) != 0; break;
    case 2: result = lanes([](int v, int) { return v > -100; }) == ~0u; break;
    case 3:
    case 6: result = lanes([&](int v, int) { return v == mine; }); break;
    case 4: result = thousands ? ~0u : 0; break;
    case 5: result = thousands; break;
    default:
      result = t % 3 == 0 ? lanes([&](int, int l) { return (first + l) % 3 == 0; }) : 0;
      break;
  }
  return int(result);
}

int reduce(const std::vector<int>& x, int t, int k) {
  const bool half = k == 2 || k == 3 || k == 5;
  const int first = half ? t / 16 * 16 : t / 32 * 32, count = half ? 16 : 32;
  unsigned result = unsigned(x[std::size_t(first)]);
  for (int l = 1; l < count; ++l) {
    const unsigned v = unsigned(x[std::size_t(first + l)]);
    switch (k) {
      case 0: result += v; break;
      case 1: result = unsigned(std::min(int(result), int(v))); break;
      case 2: result = unsigned(std::max(int(result), int(v))); break;
      case 3: result = std::min(result, v); break;
      case 4: result = std::max(result, v); break;
      case 5: result &= v; break;
      case 6: result |= v; break;
      default: result ^= v; break;
    }
  }
  return int(result);
}

int shuffle(const std::vector<int>& x, int t, int k) {
  const int lane = t % 32, first = t - lane;
  const auto of = [&](int l) { return x[std::size_t(first + l)]; };
  switch (k) {
    case 0: return of(5);
    case 1: return of(lane / 8 * 8 + (lane + 1) % 8);
    case 2: return of(lane % 16 >= 3 ? lane - 3 : lane);
    case 3: return of(lane + 7 < 32 ? lane + 7 : lane);
    case 4: return of(lane ^ 9);
    case 5: return int(((long long)(of(lane ^ 1)) * 0x100000001ll) >> 32);
    case 6: return lane < 20 ? of(lane * 3 % 20) : 0;
    default: return lane >= 20 ? of(31 - lane % 12) : 0;
  }
}

}  // namespace

void add_warps(Cases& cases) {
  const auto add = [&](const char* kernel, int low, int high, auto definition) {
    cases.push_back({"warps", kernel, std::to_string(low) + " to " + std::to_string(high),
                     [=](Session& session) {
                       const auto x = random_integers<int>(threads, 9, low, high);
                       const auto in = session.input(x);
                       const auto out = session.output<int>(threads * 8);
                       session.launch(kernel, {1, threads}, in, out);
                       return equal(session.read(out),
                                    by_thread([&](int t, int k) { return definition(x, t, k); }),
                                    "lane");
                     }});
  };
  add("votes", -3, 3, vote);
  add("votes", -2000, 2000, vote);
  add("reductions", -100000, 100000, reduce);
  add("shuffles", -100000, 100000, shuffle);
  cases.push_back(
      {"warps", "exchange", "4 warps", [](Session& session) {
         const auto x = random_integers<int>(1024, 10, -999, 999);
         const auto in = session.input(x);
         const auto out = session.output<int>(2048);
         session.launch("exchange", {1, 128}, in, out);
         std::vector<int> expected;
         for (int i = 0; i < 2048; ++i) {
           const int round = i / 1024, warp = i / 256 % 4, lane = i / 8 % 32, k = i % 8;
           const int from = k * 32 + lane;  // place in the buffer: lane * 8 + k when it was written
           expected.push_back(x[std::size_t(warp * 256 + from % 8 * 32 + from / 8)] + round);
         }
         return equal(session.read(out), expected, "value");
       }});
}

}  // namespace tilewright::corpus
