// ldmatrix, stmatrix, movmatrix and mma against matrices written down from the PTX manual's
// fragment layouts, with random values and a double-precision product.
#include <doctest/doctest.h>

#include <cmath>

#include "emulator/ops/half_values.hpp"
#include "word_kernel.hpp"

using namespace emulator_test;

namespace {

struct Shape {
  std::string shape, type;
  unsigned k, bits;
  bool half_accumulator;
};

std::string registers(char letter, unsigned first, unsigned count) {
  std::string text = "{";
  for (unsigned k = 0; k < count; ++k) {
    text += (k == 0 ? "%" : ", %") + std::string(1, letter) + std::to_string(first + k);
  }
  return text + "}";
}

double value_of(std::uint32_t word, unsigned e, const Shape& shape) {
  const std::string& type = shape.type;
  if (type == "tf32") return std::bit_cast<float>(word & 0xffffe000u);
  if (type == "s8") return static_cast<std::int8_t>(word >> (8 * e));
  return widen_half(word >> (16 * e), type == "bf16");
}

}  // namespace

TEST_CASE("mma against a double-precision product") {
  const Shape shapes[] = {{"m16n8k16", "bf16", 16, 16, false}, {"m16n8k16", "f16", 16, 16, false},
                          {"m16n8k8", "bf16", 8, 16, false},   {"m16n8k8", "f16", 8, 16, false},
                          {"m16n8k16", "f16", 16, 16, true},   {"m16n8k8", "tf32", 8, 32, false},
                          {"m16n8k4", "tf32", 4, 32, false},   {"m16n8k32", "s8", 32, 8, false}};
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  for (const Shape& shape : shapes) {
    CAPTURE(shape.shape);
    CAPTURE(shape.type);
    const bool integer = shape.bits == 8;
    const unsigned per = 32 / shape.bits, a_count = 16 * shape.k * shape.bits / 1024,
                   b_count = 8 * shape.k * shape.bits / 1024,
                   c_count = shape.half_accumulator ? 2 : 4;
    const unsigned inputs = a_count + b_count + c_count;
    std::vector<std::uint32_t> in(32 * inputs);
    const bool brain = shape.type == "bf16";
    for (unsigned k = 0; k < in.size(); ++k) {
      const bool accumulator = k >= 32 * (a_count + b_count);
      if (integer) {
        in[k] = accumulator ? random() % 1000 : static_cast<std::uint32_t>(random());
      } else if ((shape.bits == 32 || accumulator) && !(accumulator && shape.half_accumulator)) {
        in[k] = std::bit_cast<std::uint32_t>(normal(random));
      } else {
        const bool as_brain = brain && !accumulator;
        in[k] = narrow_half(normal(random), as_brain) | narrow_half(normal(random), as_brain) << 16;
      }
    }
    const std::string accumulator = integer ? "s32" : shape.half_accumulator ? "f16" : "f32";
    const std::string text = "mma.sync.aligned." + shape.shape + ".row.col." + accumulator + "." +
                             shape.type + "." + shape.type + "." + accumulator + " " +
                             registers('o', 0, c_count) + ", " + registers('i', 0, a_count) + ", " +
                             registers('i', a_count, b_count) + ", " +
                             registers('i', a_count + b_count, c_count) + ";";
    const std::vector<std::uint32_t> out = run_words(text, in, inputs, c_count);
    double a[16][32] = {}, b[32][8] = {};
    for (unsigned lane = 0; lane < 32; ++lane) {
      const unsigned g = lane / 4, t = lane % 4;
      for (unsigned r = 0; r < a_count; ++r) {
        for (unsigned e = 0; e < per; ++e) {
          a[g + 8 * (r % 2)][r / 2 * 4 * per + t * per + e] = value_of(in[32 * r + lane], e, shape);
        }
      }
      for (unsigned r = 0; r < b_count; ++r) {
        for (unsigned e = 0; e < per; ++e) {
          b[r * 4 * per + t * per + e][g] = value_of(in[32 * (a_count + r) + lane], e, shape);
        }
      }
    }
    for (unsigned lane = 0; lane < 32; ++lane) {
      for (unsigned element = 0; element < 4; ++element) {
        const unsigned row = lane / 4 + 8 * (element / 2), column = lane % 4 * 2 + element % 2;
        const unsigned word = shape.half_accumulator ? element / 2 : element;
        const std::uint32_t c_bits = in[32 * (a_count + b_count + word) + lane],
                            d_bits = out[32 * word + lane];
        const auto read = [&](std::uint32_t bits) -> double {
          if (integer) return static_cast<std::int32_t>(bits);
          return shape.half_accumulator ? widen_half(bits >> (16 * (element % 2)), false)
                                        : std::bit_cast<float>(bits);
        };
        double want = read(c_bits);
        for (unsigned k = 0; k < shape.k; ++k) want += a[row][k] * b[k][column];
        CHECK(read(d_bits) ==
              doctest::Approx(want).epsilon(shape.half_accumulator ? 2e-3 : 1e-5).scale(1));
      }
    }
  }
}

TEST_CASE("the A operand is converted again when it changed between two mma") {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<std::uint32_t> in(32 * 10);
  for (auto& word : in)
    word = narrow_half(normal(random), true) | narrow_half(normal(random), true) << 16;
  const std::string mma = "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 ";
  const std::string twice = mma +
                            "{%o0,%o1,%o2,%o3}, {%i0,%i1,%i2,%i3}, {%i4,%i5}, {%i6,%i7,%i8,%i9};"
                            "mov.u32 %i0, %i5;" +
                            mma +
                            "{%o0,%o1,%o2,%o3}, {%i0,%i1,%i2,%i3}, {%i4,%i5}, {%i6,%i7,%i8,%i9};";
  const std::string once = "mov.u32 %i0, %i5;" + mma +
                           "{%o0,%o1,%o2,%o3}, {%i0,%i1,%i2,%i3}, {%i4,%i5}, {%i6,%i7,%i8,%i9};";
  const std::string kept =
      mma + "{%o0,%o1,%o2,%o3}, {%i0,%i1,%i2,%i3}, {%i4,%i5}, {%i6,%i7,%i8,%i9};" + mma +
      "{%o4,%o5,%o6,%o7}, {%i0,%i1,%i2,%i3}, {%i4,%i5}, {%i6,%i7,%i8,%i9};";
  CHECK(run_words(twice, in, 10, 4) == run_words(once, in, 10, 4));
  const std::vector<std::uint32_t> both = run_words(kept, in, 10, 8);
  for (unsigned k = 0; k < 128; ++k) CHECK(both[k] == both[128 + k]);
}

/// Three products with one A and three B's, added up: fused multiply-adds in the order of k.
std::uint32_t element_of_chain(const std::vector<std::uint32_t>& in, unsigned row, unsigned column,
                               bool from_zero) {
  const auto brain = [&](unsigned word, unsigned lane, unsigned e) {
    return widen_half(in[32 * word + lane] >> (16 * e) & 0xffff, true);
  };
  const unsigned c = 2 * (row / 8) + column % 2;
  float sum = from_zero ? 0 : std::bit_cast<float>(in[32 * c + row % 8 * 4 + column / 2]);
  for (unsigned product = 0; product < 3; ++product) {
    for (unsigned k = 0; k < 16; ++k) {
      const unsigned t = k % 8 / 2, e = k % 2;
      const float left = static_cast<float>(brain(4 + row / 8 + 2 * (k / 8), row % 8 * 4 + t, e));
      const float right = static_cast<float>(brain(8 + 2 * product + k / 8, column * 4 + t, e));
      sum = std::fma(left, right, sum);
    }
  }
  return std::bit_cast<std::uint32_t>(sum);
}

TEST_CASE("mma of bf16 is exact in every product and loses no subnormal number") {
  struct Fields {
    unsigned least, most;
    unsigned zeros = 16;  ///< one element of so many is zero
    std::uint32_t draw(std::mt19937& random, unsigned fraction_bits) const {
      const std::uint32_t field = least + static_cast<std::uint32_t>(random()) % (most - least + 1);
      const std::uint32_t fraction =
          static_cast<std::uint32_t>(random()) & ((1u << fraction_bits) - 1);
      const std::uint32_t sign = static_cast<std::uint32_t>(random()) & 1;
      if (random() % zeros == 0) return sign << (fraction_bits + 8);
      return sign << (fraction_bits + 8) | field << fraction_bits | fraction;
    }
  };
  // Exponent fields; 0 is subnormal. Products of fields whose sum is about 127 are the smallest.
  const Fields usual{120, 134}, small{54, 66}, tiny{0, 30}, any{0, 190}, zero{0, 0, 1};
  struct Case {
    Fields a, b[3], c;
  };
  const Case cases[] = {
      {usual, {usual, usual, usual}, usual}, {usual, {usual, small, usual}, usual},
      {small, {small, small, small}, zero},  {small, {small, zero, zero}, tiny},
      {small, {zero, small, zero}, tiny},    {tiny, {usual, usual, any}, tiny},
      {usual, {tiny, usual, usual}, usual},  {usual, {tiny, tiny, tiny}, zero},
      {usual, {zero, tiny, zero}, tiny},     {any, {any, any, any}, any},
      {small, {small, usual, small}, small}};
  const std::string mma = "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 ";
  const std::string a = "{%i4,%i5,%i6,%i7}, ";
  std::mt19937 random(29);
  for (unsigned round = 0; round < 110; ++round) {
    const Case& now = cases[round % 11];
    CAPTURE(round);
    std::vector<std::uint32_t> in(32 * 14);
    for (unsigned k = 0; k < in.size(); ++k) {
      const unsigned word = k / 32;
      const Fields& fields = word < 4 ? now.c : word < 8 ? now.a : now.b[(word - 8) / 2];
      in[k] = word < 4 ? fields.draw(random, 23)
                       : fields.draw(random, 7) | fields.draw(random, 7) << 16;
    }
    const bool from_zero = round % 2 == 1;
    std::string text;
    for (unsigned r = 0; r < 4; ++r) {
      const std::string n = std::to_string(r);
      text += from_zero ? "mov.b32 %t" + n + ", 0;" : "mov.b32 %t" + n + ", %i" + n + ";";
    }
    // The second product writes over the addend's registers in another order.
    text += mma + "{%t0,%t1,%t2,%t3}, " + a + "{%i8,%i9}, {%t0,%t1,%t2,%t3};" + mma +
            "{%t2,%t3,%t0,%t1}, " + a + "{%i10,%i11}, {%t0,%t1,%t2,%t3};" + mma +
            "{%o0,%o1,%o2,%o3}, " + a + "{%i12,%i13}, {%t2,%t3,%t0,%t1};";
    // The same once more, with another sum between: two mma in a row that share A.
    text += "mov.b32 %t4, 0; mov.b32 %t5, 0; mov.b32 %t6, 0; mov.b32 %t7, 0;";
    for (unsigned r = 0; r < 4; ++r) {
      const std::string n = std::to_string(r), from = from_zero ? "0" : "%i" + n;
      text += "mov.b32 %o" + std::to_string(4 + r) + ", " + from + ";";
    }
    for (const char* b : {"{%i8,%i9}, ", "{%i10,%i11}, ", "{%i12,%i13}, "}) {
      text += mma + "{%t4,%t5,%t6,%t7}, " + a + "{%i12,%i13}, {%t4,%t5,%t6,%t7};" + mma +
              "{%o4,%o5,%o6,%o7}, " + a + b + "{%o4,%o5,%o6,%o7};";
    }
    const std::vector<std::uint32_t> out = run_words(text, in, 14, 8);
    unsigned wrong = 0;
    for (unsigned row = 0; row < 16; ++row) {
      for (unsigned column = 0; column < 8; ++column) {
        const std::uint32_t want = element_of_chain(in, row, column, from_zero);
        const bool no_number = std::isnan(std::bit_cast<float>(want));
        for (const unsigned first : {0u, 4u}) {
          const unsigned word = first + 2 * (row / 8) + column % 2;
          const std::uint32_t got = out[32 * word + row % 8 * 4 + column / 2];
          wrong += no_number ? !std::isnan(std::bit_cast<float>(got)) : got != want;
        }
      }
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("ldmatrix and stmatrix are each other's inverse and follow the fragment layout") {
  const std::string buffer = ".shared .align 16 .b8 buffer[1024];";
  std::vector<std::uint32_t> in(32 * 4);
  for (unsigned k = 0; k < in.size(); ++k) in[k] = 0x10000u * (2 * k + 1) + 2 * k;
  // Every lane stores 16 bytes: row `lane % 8` of matrix `lane / 8`, then reads with ldmatrix.
  const std::string fill =
      "mov.u32 %t0, buffer; mad.lo.u32 %t0, %lane, 16, %t0; st.shared.v4.u32 [%t0], "
      "{%i0,%i1,%i2,%i3};"
      "bar.sync 0;";
  const auto word = [&](unsigned matrix, unsigned row, unsigned column) -> std::uint32_t {
    const unsigned lane = 8 * matrix + row;
    return (in[32 * (column / 2) + lane] >> (16 * (column % 2))) & 0xffff;
  };
  for (const bool transpose : {false, true}) {
    const std::string suffix = transpose ? ".trans" : "";
    const std::vector<std::uint32_t> out = run_words(
        fill + "ldmatrix.sync.aligned.m8n8.x4" + suffix + ".shared.b16 {%o0,%o1,%o2,%o3}, [%t0];",
        in, 4, 4, buffer);
    for (unsigned matrix = 0; matrix < 4; ++matrix) {
      for (unsigned lane = 0; lane < 32; ++lane) {
        const unsigned row = lane / 4, column = 2 * (lane % 4);
        const std::uint32_t low = transpose ? word(matrix, column, row) : word(matrix, row, column);
        const std::uint32_t high =
            transpose ? word(matrix, column + 1, row) : word(matrix, row, column + 1);
        CHECK(out[32 * matrix + lane] == (low | high << 16));
      }
    }
    const std::vector<std::uint32_t> back =
        run_words(fill + "ldmatrix.sync.aligned.m8n8.x4" + suffix +
                      ".shared.b16 {%t1,%t2,%t3,%t4}, [%t0]; bar.sync 0;"
                      "stmatrix.sync.aligned.m8n8.x4" +
                      suffix +
                      ".shared.b16 [%t0], {%t1,%t2,%t3,%t4}; bar.sync 0;"
                      "ld.shared.v4.u32 {%o0,%o1,%o2,%o3}, [%t0];",
                  in, 4, 4, buffer);
    CHECK(back == in);
  }
  const std::vector<std::uint32_t> moved = run_words(
      "movmatrix.sync.aligned.m8n8.trans.b16 %t0, %i0; movmatrix.sync.aligned.m8n8.trans.b16 %o0, "
      "%t0;",
      in, 4, 1);
  CHECK(std::equal(moved.begin(), moved.end(), in.begin()));
}
