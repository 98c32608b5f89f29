// The general forms of mma.sync against products of matrices laid out from the PTX manual: 8 or 16
// rows, elements of 8, 4 and 1 bits with or without sign, 8-bit floats, and f64.
#include <doctest/doctest.h>

#include <cmath>

#include "word_kernel.hpp"

using namespace emulator_test;

namespace {

struct General {
  std::string form;
  unsigned rows, depth, bits;
  char a = 's', b = 's';  ///< s: signed, u: unsigned, x and &: of single bits, 4 and 5: e4m3, e5m2
};

std::vector<std::uint32_t> run_registers(const std::string& statement,
                                         const std::vector<std::uint32_t>& in, unsigned inputs,
                                         unsigned outputs) {
  return run_words(".reg .b64 %d<8>;\n" + statement, in, inputs, outputs, "",
                   ".version 8.4\n.target sm_89", true);
}

std::string list(const char* name, unsigned first, unsigned count) {
  std::string text = "{";
  for (unsigned k = 0; k < count; ++k)
    text += (k == 0 ? "%" : ", %") + std::string(name) + std::to_string(first + k);
  return text + "}";
}

double fp8(unsigned byte, bool e5m2) {
  const int bits = e5m2 ? 2 : 3, bias = e5m2 ? 15 : 7;
  const int exponent = int(byte >> bits & (e5m2 ? 31 : 15)),
            fraction = int(byte & ((1 << bits) - 1));
  const double value = exponent == 0 ? std::ldexp(fraction, 1 - bias - bits)
                                     : std::ldexp((1 << bits) + fraction, exponent - bias - bits);
  return (byte & 128) != 0 ? -value : value;
}

double element(std::uint32_t word, unsigned bits, char kind) {
  const std::uint32_t value = word & ((1u << bits) - 1);
  if (kind == '4' || kind == '5') return fp8(value, kind == '5');
  const bool negative = kind == 's' && (value >> (bits - 1)) != 0;
  return double(value) - (negative ? std::ldexp(1, int(bits)) : 0);
}

}  // namespace

TEST_CASE("integer, single-bit and 8-bit float forms of mma") {
  const General forms[] = {
      {"m8n8k16.row.col.s32.s8.s8.s32", 8, 16, 8},
      {"m8n8k16.row.col.satfinite.s32.u8.s8.s32", 8, 16, 8, 'u', 's'},
      {"m16n8k16.row.col.s32.u8.u8.s32", 16, 16, 8, 'u', 'u'},
      {"m16n8k32.row.col.s32.s8.u8.s32", 16, 32, 8, 's', 'u'},
      {"m8n8k32.row.col.s32.u4.s4.s32", 8, 32, 4, 'u', 's'},
      {"m16n8k32.row.col.s32.s4.s4.s32", 16, 32, 4},
      {"m16n8k64.row.col.s32.s4.u4.s32", 16, 64, 4, 's', 'u'},
      {"m8n8k128.row.col.s32.b1.b1.s32.xor.popc", 8, 128, 1, 'x', 'x'},
      {"m16n8k128.row.col.s32.b1.b1.s32.and.popc", 16, 128, 1, '&', '&'},
      {"m16n8k256.row.col.s32.b1.b1.s32.xor.popc", 16, 256, 1, 'x', 'x'},
      {"m16n8k32.row.col.f32.e4m3.e4m3.f32", 16, 32, 8, '4', '4'},
      {"m16n8k32.row.col.f32.e4m3.e5m2.f32", 16, 32, 8, '4', '5'},
  };
  std::mt19937 random(12);
  for (const General& form : forms) {
    CAPTURE(form.form);
    const unsigned a_count = form.rows * form.depth * form.bits / 1024;
    const unsigned b_count = 8 * form.depth * form.bits / 1024, c_count = form.rows / 4;
    const unsigned inputs = a_count + b_count + c_count, per = 32 / form.bits;
    const bool real = form.a == '4' || form.a == '5';
    std::vector<std::uint32_t> in(32 * inputs);
    for (unsigned k = 0; k < in.size(); ++k) {
      in[k] = random();
      if (k >= 32 * (a_count + b_count)) {
        in[k] =
            real ? std::bit_cast<std::uint32_t>(float(int(random() % 100) - 50)) : in[k] % 100000;
      } else if (real) {
        in[k] &= 0xb7b7b7b7u;  // neither NaN nor infinity
      }
    }
    std::vector<std::vector<double>> a(16, std::vector<double>(256)),
        b(256, std::vector<double>(8));
    for (unsigned l = 0; l < 32; ++l) {
      for (unsigned e = 0; e < per; ++e) {
        for (unsigned r = 0; r < a_count; ++r) {
          // Of 16 rows, every other register holds rows 8 to 15.
          const unsigned half = form.rows == 16 ? r & 1 : 0, group = form.rows == 16 ? r >> 1 : r;
          a[l / 4 + 8 * half][group * 4 * per + l % 4 * per + e] =
              element(in[32 * r + l] >> (form.bits * e), form.bits, form.a);
        }
        for (unsigned r = 0; r < b_count; ++r) {
          b[r * 4 * per + l % 4 * per + e][l / 4] =
              element(in[32 * (a_count + r) + l] >> (form.bits * e), form.bits, form.b);
        }
      }
    }
    const auto out =
        run_registers("mma.sync.aligned." + form.form + " " + list("o", 0, c_count) + ", " +
                          list("i", 0, a_count) + ", " + list("i", a_count, b_count) + ", " +
                          list("i", a_count + b_count, c_count) + ";",
                      in, inputs, c_count);
    for (unsigned l = 0; l < 32; ++l) {
      for (unsigned r = 0; r < c_count; ++r) {
        const unsigned row = l / 4 + 8 * (r >> 1), column = 2 * (l % 4) + (r & 1);
        const std::uint32_t before = in[32 * (a_count + b_count + r) + l];
        double sum = real ? as_float(before) : double(std::int32_t(before)), size = std::fabs(sum);
        for (unsigned k = 0; k < form.depth; ++k) {
          const double x = a[row][k], y = b[k][column];
          const double term = form.a == 'x' ? double(x != y) : x * y;
          sum += term;
          size += std::fabs(term);
        }
        const std::uint32_t got = out[32 * r + l];
        if (real) {
          CHECK(std::fabs(as_float(got) - sum) <= 1e-5 * size);
        } else {
          CHECK(double(std::int32_t(got)) == sum);
        }
      }
    }
  }
}

TEST_CASE("mma of f64") {
  std::mt19937 random(13);
  std::normal_distribution<double> normal;
  std::vector<double> a(32), b(32), c(64);
  for (auto* matrix : {&a, &b, &c})
    for (double& value : *matrix) value = normal(random);
  std::vector<std::uint32_t> in(32 * 8);
  const auto put = [&](unsigned at, unsigned lane, double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    in[32 * at + lane] = std::uint32_t(bits);
    in[32 * (at + 1) + lane] = std::uint32_t(bits >> 32);
  };
  for (unsigned l = 0; l < 32; ++l) {
    put(0, l, a[l]);                    // row l/4, column l%4
    put(2, l, b[8 * (l % 4) + l / 4]);  // row l%4, column l/4
    put(4, l, c[8 * (l / 4) + 2 * (l % 4)]);
    put(6, l, c[8 * (l / 4) + 2 * (l % 4) + 1]);
  }
  const auto out = run_registers(
      "mov.b64 %d0, {%i0, %i1}; mov.b64 %d1, {%i2, %i3}; mov.b64 %d2, {%i4, %i5}; "
      "mov.b64 %d3, {%i6, %i7};\n"
      "mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%d4, %d5}, {%d0}, {%d1}, {%d2, %d3};\n"
      "mov.b64 {%o0, %o1}, %d4; mov.b64 {%o2, %o3}, %d5;",
      in, 8, 4);
  for (unsigned l = 0; l < 32; ++l) {
    for (unsigned r = 0; r < 2; ++r) {
      const unsigned row = l / 4, column = 2 * (l % 4) + r;
      double sum = c[8 * row + column];
      for (unsigned k = 0; k < 4; ++k) sum += a[4 * row + k] * b[8 * k + column];
      const double got = std::bit_cast<double>(std::uint64_t{out[32 * (2 * r + 1) + l]} << 32 |
                                               out[32 * 2 * r + l]);
      CHECK(std::fabs(got - sum) < 1e-12);
    }
  }
}
