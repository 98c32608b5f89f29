// Oracles of cuda/integers.cu: the same in host arithmetic, with 128 bits where products need them.
#include <algorithm>
#include <bit>
#include <limits>

#include "cases.hpp"

namespace tilewright::corpus {
namespace {

using s64 = long long;
using u64 = unsigned long long;
__extension__ typedef __int128 s128;
__extension__ typedef unsigned __int128 u128;

constexpr int n = 500;

u64 reversed(u64 x, int bits) {
  u64 result = 0;
  for (int i = 0; i < bits; ++i) result |= (x >> i & 1) << (bits - 1 - i);
  return result;
}

u64 wide(s64 x, s64 y, int k) {
  const u64 ux = u64(x), uy = u64(y);
  const int shift = int(uy & 63);
  const bool plain = y != 0 && y != -1;
  switch (k) {
    case 0: return plain ? u64(x / y) : 0;
    case 1: return plain ? u64(x % y) : 0;
    case 2: return uy != 0 ? ux / uy : 0;
    case 3: return uy != 0 ? ux % uy : 0;
    case 4: return u64(s128(x) * y >> 64);
    case 5: return u64(u128(ux) * uy >> 64);
    case 6: return ux << shift;
    case 7: return ux >> shift;
    case 8: return u64(x >> shift);
    case 9:
      return u64(std::countl_zero(ux) | std::popcount(ux) << 8 |
                 (ux == 0 ? 0 : std::countr_zero(ux) + 1) << 16);
    case 10: return reversed(ux, 64);
    default: return x > y ? ux * uy + 7 : u64(std::min(x, s64(0 - uy))) ^ std::max(ux, uy);
  }
}

unsigned bytes_of(unsigned x, unsigned y, unsigned (*each)(unsigned, unsigned)) {
  unsigned result = 0;
  for (int i = 0; i < 32; i += 8) result |= (each(x >> i & 255, y >> i & 255) & 255) << i;
  return result;
}

unsigned dot4(int x, int y) {
  int sum = 3;
  for (int i = 0; i < 32; i += 8) sum += (signed char)(x >> i) * (signed char)(y >> i);
  return unsigned(sum);
}
unsigned dot4u(unsigned x, unsigned y) {
  unsigned sum = 3;
  for (int i = 0; i < 32; i += 8) sum += (x >> i & 255) * (y >> i & 255);
  return sum;
}

unsigned permuted(unsigned x, unsigned y, unsigned selector) {
  unsigned result = 0;
  for (int i = 0; i < 4; ++i)
    result |= unsigned((u64(y) << 32 | x) >> 8 * (selector >> 4 * i & 7) & 255) << 8 * i;
  return result;
}

unsigned narrow(int x, int y, int k) {
  const unsigned ux = unsigned(x), uy = unsigned(y);
  const u64 both = u64(uy) << 32 | ux;
  const auto low24 = [](int v) { return int(unsigned(v) << 8) >> 8; };
  switch (k) {
    case 0: return y != 0 && y != -1 ? unsigned(x / y) : 1;
    case 1: return uy != 0 ? ux % uy : 1;
    case 2: return unsigned(s64(x) * y >> 32);
    case 3: return unsigned(u64(ux) * uy >> 32);
    case 4: return unsigned(both << (uy & 31) >> 32);
    case 5: return unsigned(both >> std::min(uy & 63, 32u));
    case 6: return permuted(ux, uy, ux & 0x7777);
    case 7: return dot4(x, y);
    case 8: return dot4u(ux, uy);
    case 9: {
      const int low = 5 + short(x) * (signed char)(y) + (x >> 16) * (signed char)(y >> 8);
      const unsigned high = 5 + (ux & 0xffff) * (uy >> 16 & 255) + (ux >> 16) * (uy >> 24);
      return unsigned(low) + high;
    }
    case 10: return unsigned(9 + std::llabs(s64(x) - y)) + 9 + (ux > uy ? ux - uy : uy - ux);
    case 11: return unsigned(s64(low24(x)) * low24(y)) + (ux & 0xffffff) * (uy & 0xffffff);
    case 12:
      return unsigned(std::countl_zero(ux) | std::popcount(ux) << 8 |
                      (ux == 0 ? 0 : std::countr_zero(ux) + 1) << 16);
    case 13: return unsigned(reversed(ux, 32)) ^ (ux >> 3 & 0x1ff) ^ (uy << 5 | (ux & 31));
    case 14:
      return bytes_of(ux, uy, [](unsigned a, unsigned b) { return a + b; }) +
             bytes_of(ux, uy, [](unsigned a, unsigned b) { return a > b ? a - b : b - a; }) +
             unsigned((s64(x) + y) >> 1) + unsigned((s64(x) + y + 1) >> 1);
    default: return unsigned((signed char)(x) * short(y) + (unsigned char)(x >> 8));
  }
}

/// Random words, with small ones and the edges among them.
template <class T>
std::vector<T> words(std::size_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<T> values(count);
  for (T& value : values) {
    value = static_cast<T>(static_cast<s64>(random()) >> random() % 63);
    if (random() % 16 == 0) value = 0;
    if (random() % 16 == 0) value = std::numeric_limits<T>::min();
  }
  return values;
}

}  // namespace

void add_integers(Cases& cases) {
  cases.push_back({"integers", "wide", "500", [](Session& session) {
                     const auto a = words<s64>(n, 15), b = words<s64>(n, 16);
                     const auto in_a = session.input(a), in_b = session.input(b);
                     const auto out = session.output<u64>(12 * n);
                     session.launch("wide", {4, 128}, in_a, in_b, out, n);
                     std::vector<u64> expected;
                     for (std::size_t i = 0; i < n; ++i) {
                       for (int k = 0; k < 12; ++k) expected.push_back(wide(a[i], b[i], k));
                     }
                     return equal(session.read(out), expected, "value");
                   }});
  cases.push_back({"integers", "narrow", "500", [](Session& session) {
                     const auto a = words<int>(n, 17), b = words<int>(n, 18);
                     const auto in_a = session.input(a), in_b = session.input(b);
                     const auto out = session.output<unsigned>(16 * n);
                     session.launch("narrow", {4, 128}, in_a, in_b, out, n);
                     std::vector<unsigned> expected;
                     for (std::size_t i = 0; i < n; ++i) {
                       for (int k = 0; k < 16; ++k) expected.push_back(narrow(a[i], b[i], k));
                     }
                     return equal(session.read(out), expected, "value");
                   }});
}

}  // namespace tilewright::corpus
