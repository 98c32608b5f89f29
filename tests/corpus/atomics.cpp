// Oracles of cuda/atomics.cu. What atomics leave behind does not depend on their order: sums,
// extremes, counts modulo a bound, a chain of exchanges.
#include <algorithm>
#include <cstring>

#include "cases.hpp"

namespace tilewright::corpus {
namespace {

using u64 = unsigned long long;

std::string integers(Session& session) {
  const auto x = random_integers<int>(256, 24, -100000, 100000);
  const auto in = session.input(x);
  std::vector<int> out(11, 0);
  out[4] = -1;
  std::vector<unsigned> narrow = {~0u, 0, 0, 0, 0};
  std::vector<u64> wide = {0, ~u64{0}, 0, ~u64{0}, 0, 0, 0, 0};
  const auto a = session.input(out);
  const auto b = session.input(narrow);
  const auto c = session.input(wide);
  session.launch("integers", {4, 64}, in, a, b, c);
  narrow[2] = 256 % 100;
  // From 0 down: 99, 98, ... 0, 99, ...
  narrow[3] = (100 - 256 % 100) % 100;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const int v = x[i];
    const unsigned u = unsigned(v);
    const u64 w = u64{u} * 0x100000001ull;
    out[0] += v;
    out[1] -= v;
    out[2] = std::min(out[2], v);
    out[3] = std::max(out[3], v);
    out[4] &= v;
    out[5] |= v;
    out[6] ^= v;
    ++out[7 + i / 64];
    narrow[0] = std::min(narrow[0], u);
    narrow[1] = std::max(narrow[1], u);
    narrow[4] += 2;
    wide[0] += w;
    wide[1] = std::min(wide[1], w);
    wide[2] = std::max(wide[2], w);
    wide[3] &= w;
    wide[4] |= w;
    wide[5] ^= w;
    const long long high = static_cast<long long>(v) * (1ll << 32);
    wide[6] = u64(std::min(static_cast<long long>(wide[6]), high));
    wide[7] = u64(std::max(static_cast<long long>(wide[7]), high));
  }
  std::string wrong = equal(session.read(a), out, "out");
  if (wrong.empty()) wrong = equal(session.read(b), narrow, "unsigned");
  return wrong.empty() ? equal(session.read(c), wide, "wide") : wrong;
}

std::string reals(Session& session) {
  const auto x = random_integers<float>(128, 25, -50, 50);  // sums are exact
  const auto in = session.input(x);
  const auto f32 = session.input(std::vector<float>{0});
  const auto f64 = session.input(std::vector<double>{0});
  const auto f16 = session.input(std::vector<unsigned short>{0});
  const auto f16x2 = session.input(std::vector<unsigned short>{0, 0});
  const auto bf16x2 = session.input(std::vector<unsigned short>{0, 0});
  const auto bf16 = session.input(std::vector<unsigned short>{0});
  session.launch("reals", {2, 64}, in, f32, f64, f16, f16x2, bf16x2, bf16);
  double sum = 0;
  for (const float v : x) sum += v;
  std::string wrong = equal(session.read(f32), {float(sum)}, "f32");
  if (wrong.empty()) wrong = equal(session.read(f64), {sum}, "f64");
  if (wrong.empty()) wrong = equal(session.read(f16), {0x5800}, "f16");              // 128
  if (wrong.empty()) wrong = equal(session.read(f16x2), {0x5800, 0x5c00}, "f16x2");  // 128, 256
  if (wrong.empty()) wrong = equal(session.read(bf16x2), {0x4300, 0xc300}, "bf16x2");
  return wrong.empty() ? equal(session.read(bf16), {0x4300}, "bf16") : wrong;
}

std::string shared_atomics(Session& session) {
  const auto x = random_integers<int>(96, 26, -1000, 1000);
  const auto in = session.input(x);
  const auto out = session.output<u64>(8);
  session.launch("shared_atomics", {1, 96}, in, out);
  long long sum = 0, wide = 0;
  for (const int v : x) sum += v, wide += static_cast<long long>(v) * (1ll << 20);
  const auto [least, most] = std::minmax_element(x.begin(), x.end());
  return equal(session.read(out),
               {u64(sum), u64(static_cast<long long>(*least)), u64(static_cast<long long>(*most)),
                u64(wide), 48, 96, 96, u64{96} << 32 | 192},
               "out");
}

std::string swaps(Session& session) {
  const auto product = session.input(std::vector<int>{1});
  const auto maximum = session.input(std::vector<u64>{1});
  const auto taken = session.input(std::vector<int>(65, 0));
  session.launch("swaps", {2, 32}, product, maximum, taken);
  unsigned expected = 1;
  u64 wide = 1;
  for (int k = 0; k < 64; ++k) expected = expected * 3 + 1, wide = wide * 5 + 1;
  std::string wrong = equal(session.read(product), {int(expected)}, "product");
  if (wrong.empty()) wrong = equal(session.read(maximum), {wide}, "maximum");
  if (!wrong.empty()) return wrong;
  // Every slot was given out once: what is there now and what was taken are 0 to 64.
  auto all = session.read(taken);
  std::sort(all.begin(), all.end());
  std::vector<int> each;
  for (int k = 0; k < 65; ++k) each.push_back(k);
  return equal(all, each, "taken");
}

std::string locked(Session& session) {
  const auto lock = session.input(std::vector<int>{0});
  const auto counter = session.input(std::vector<int>{1});
  const int rounds = 5;
  session.launch("locked", {6, 64}, lock, counter, rounds);
  int expected = 1;
  for (int k = 0; k < 30; ++k) expected = expected * 2 % 1000003 + 1;
  return equal(session.read(counter), {expected}, "counter");
}

std::string last_block(Session& session) {
  const auto x = random_integers<float>(5 * 128, 27, -50, 50);
  const auto in = session.input(x);
  const auto partial = session.output<float>(5);
  const auto arrived = session.input(std::vector<unsigned>{0});
  const auto out = session.output<float>(1);
  session.launch("last_block", {5, 128}, in, partial, arrived, out);
  float sum = 0;
  for (const float v : x) sum += v;
  const std::string wrong = equal(session.read(out), {sum}, "sum");
  return wrong.empty() ? equal(session.read(arrived), {0u}, "arrived") : wrong;
}

}  // namespace

void add_atomics(Cases& cases) {
  cases.push_back({"atomics", "integers", "4 x 64", integers});
  cases.push_back({"atomics", "reals", "2 x 64", reals});
  cases.push_back({"atomics", "shared_atomics", "96", shared_atomics});
  cases.push_back({"atomics", "swaps", "2 x 32", swaps});
  cases.push_back({"atomics", "locked", "6 blocks", locked});
  cases.push_back({"atomics", "last_block", "5 x 128", last_block});
}

}  // namespace tilewright::corpus
