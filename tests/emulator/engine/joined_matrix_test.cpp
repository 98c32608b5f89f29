// An ldmatrix.x4 and two mma that take B from it run as one, and several such threes in a row read
// ahead of each other. Nobody may notice: here they are compared with the same products made one by
// one, through the registers.
#include <doctest/doctest.h>

#include "emulator/ops/half_values.hpp"
#include "word_kernel.hpp"

using namespace emulator_test;

namespace {

const std::string mma = "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 ";

/// Pairs of bf16. In one round of three the factors are so small that a product is subnormal, which
/// takes another way through the emulator.
std::vector<std::uint32_t> factors(std::mt19937& random, unsigned round) {
  std::vector<std::uint32_t> words(32 * 12);
  const std::uint32_t least = round % 3 == 2 ? 50 : 118, span = round % 3 == 0 ? 8 : 30;
  const auto half = [&] {
    const auto bits = static_cast<std::uint32_t>(random());
    return (bits & 0x8000) | (least + bits % span) << 7 | (bits >> 16 & 0x7f);
  };
  for (auto& word : words) word = half() | half() << 16;
  return words;
}

/// Three times an ldmatrix with two mma, each from an address of its own; `sums` of the programs
/// below make the addresses, `apart` stands between each load and its products.
std::string three_loads(const std::string (&sums)[3], const std::string (&addresses)[3],
                        bool transpose, const std::string& apart) {
  std::string text;
  for (unsigned k = 0; k < 3; ++k) {
    const auto b = [&](unsigned j) { return "%b" + std::to_string(4 * k + j); };
    text += sums[k] + "ldmatrix.sync.aligned.m8n8.x4" + (transpose ? ".trans" : "") +
            ".shared.b16 {" + b(0) + "," + b(1) + "," + b(2) + "," + b(3) + "}, [" + addresses[k] +
            "];" + apart;
    // Other rows of A for the last: its conversion is not that of the products before.
    const std::string a = k == 2 ? "{%i5,%i4,%i7,%i6}, " : "{%i4,%i5,%i6,%i7}, ";
    text += mma + "{%o0,%o1,%o2,%o3}, " + a + "{" + b(0) + "," + b(1) + "}, {%o0,%o1,%o2,%o3};" +
            mma + "{%o4,%o5,%o6,%o7}, " + a + "{" + b(2) + "," + b(3) + "}, {%o4,%o5,%o6,%o7};";
  }
  return text;
}

}  // namespace

TEST_CASE("two mma that take B from the ldmatrix before them give what they give from registers") {
  const std::string buffer = ".shared .align 16 .b8 buffer[1024];";
  std::mt19937 random(31);
  for (unsigned round = 0; round < 24; ++round) {
    CAPTURE(round);
    const bool transpose = round % 2 == 1;
    const std::vector<std::uint32_t> in = factors(random, round);
    const std::string fill =
        "mov.u32 %t0, buffer; mad.lo.u32 %t0, %lane, 16, %t0; st.shared.v4.u32 [%t0], "
        "{%i8,%i9,%i10,%i11}; bar.sync 0;"
        "mov.b32 %o0, %i0; mov.b32 %o1, %i1; mov.b32 %o2, %i2; mov.b32 %o3, %i3;"
        "mov.b32 %o4, %i3; mov.b32 %o5, %i2; mov.b32 %o6, %i1; mov.b32 %o7, %i0;";
    const std::string load = std::string("ldmatrix.sync.aligned.m8n8.x4") +
                             (transpose ? ".trans" : "") + ".shared.b16 {%t1,%t2,%t3,%t4}, [%t0];";
    const std::string a = "{%i4,%i5,%i6,%i7}, ";
    const std::string products = mma + "{%o0,%o1,%o2,%o3}, " + a + "{%t1,%t2}, {%o0,%o1,%o2,%o3};" +
                                 mma + "{%o4,%o5,%o6,%o7}, " + a + "{%t3,%t4}, {%o4,%o5,%o6,%o7};";
    const auto fused = run_words(fill + load + products, in, 12, 8, buffer);
    // A second reader of B, or an instruction between, and B goes through the registers.
    CHECK(fused == run_words(fill + load + products + "mov.b32 %t5, %t1;", in, 12, 8, buffer));
    CHECK(fused == run_words(fill + load + "mov.b32 %t5, 0;" + products, in, 12, 8, buffer));
    // B's registers the other way round are another product.
    const std::string crossed = mma + "{%o0,%o1,%o2,%o3}, " + a + "{%t2,%t1}, {%o0,%o1,%o2,%o3};" +
                                mma + "{%o4,%o5,%o6,%o7}, " + a + "{%t3,%t4}, {%o4,%o5,%o6,%o7};";
    CHECK(run_words(fill + load + crossed, in, 12, 8, buffer) ==
          run_words(fill + load + crossed + "mov.b32 %t5, %t1;", in, 12, 8, buffer));
  }
}

TEST_CASE("loads and products in a row give what they give one by one, wherever they read") {
  const std::string buffer = ".shared .align 16 .b8 buffer[2048];";
  const std::string fill =
      ".reg .b32 %b<12>, %r<8>;"
      "mov.u32 %t0, buffer; mad.lo.u32 %t0, %lane, 16, %t0;"
      "st.shared.v4.u32 [%t0], {%i8,%i9,%i10,%i11}; st.shared.v4.u32 [%t0+512], {%i9,%i8,%i11,%i4};"
      "st.shared.v4.u32 [%t0+1024], {%i10,%i11,%i8,%i7};"
      "st.shared.v4.u32 [%t0+1536], {%i11,%i10,%i6,%i8}; add.u32 %t1, %t0, 1024; bar.sync 0;"
      "mov.b32 %o0, %i0; mov.b32 %o1, %i1; mov.b32 %o2, %i2; mov.b32 %o3, %i3;"
      "mov.b32 %o4, %i3; mov.b32 %o5, %i2; mov.b32 %o6, %i1; mov.b32 %o7, %i0;";
  // Sums that can be part of the load, up and down.
  const std::string sums[3] = {"", "add.s32 %r0, %t1, -496;", "add.u32 %r1, %t0, 528;"};
  const std::string addresses[3] = {"%t0+16", "%r0+32", "%r1"};
  std::mt19937 random(37);
  for (unsigned round = 0; round < 24; ++round) {
    CAPTURE(round);
    const std::vector<std::uint32_t> in = factors(random, round);
    const auto result = [&](const std::string(&by)[3], const std::string(&from)[3],
                            const std::string& apart, const std::string& after) {
      const std::string loads = three_loads(by, from, round % 2 == 1, apart);
      return run_words(fill + loads + after, in, 12, 8, buffer);
    };
    const std::string earlier[3] = {"add.s32 %r2, %t1, -496; add.u32 %r3, %t0, 528;", "", ""};
    const std::string there[3] = {"%t0+16", "%r2+32", "%r3"};
    const std::string apart = "mov.b32 %t5, 0;";
    const std::vector<std::uint32_t> one_by_one = result(earlier, there, apart, "");
    CHECK(result(earlier, there, "", "") == one_by_one);
    CHECK(result(sums, addresses, "", "") == one_by_one);
    CHECK(result(sums, addresses, apart, "") == one_by_one);
    // Read a second time, the sums have to be there.
    CHECK(result(sums, addresses, "", "mov.b32 %o0, %r0; mov.b32 %o1, %r1;") ==
          result(earlier, there, apart, "mov.b32 %o0, %r2; mov.b32 %o1, %r3;"));
  }
}

TEST_CASE("a load whose address the products before it write waits for them") {
  const std::string buffer = ".shared .align 16 .b8 buffer[2048];";
  std::mt19937 random(41);
  std::normal_distribution<float> normal;
  std::vector<std::uint32_t> in(32 * 12);
  for (auto& word : in)
    word = narrow_half(normal(random), true) | narrow_half(normal(random), true) << 16;
  const std::string before =
      ".reg .b32 %b<8>, %z, %address;"
      "mov.u32 %t0, buffer; mad.lo.u32 %t0, %lane, 16, %t0; mov.b32 %z, 0; mov.b32 %o4, 0;"
      "st.shared.v4.u32 [%t0], {%i8,%i9,%i10,%i11};"
      "st.shared.v4.u32 [%t0+512], {%i0,%i1,%i2,%i3}; bar.sync 0;"
      "add.u32 %t1, %t0, 512; mov.b32 %address, %t0;";
  // A product with zero leaves the bits of C, an address, as they are.
  const std::string first = "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%b0,%b1,%b2,%b3}, [%t0];";
  const std::string second = mma + "{%o4,%o5,%o6,%o7}, {%z,%z,%z,%z}, {%b0,%b1}, {%z,%z,%z,%z};" +
                             mma +
                             "{%address,%t2,%t3,%t4}, {%z,%z,%z,%z}, {%b2,%b3}, {%t1,%z,%z,%z};";
  const std::string third =
      "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%b4,%b5,%b6,%b7}, [%address];" + mma +
      "{%o0,%o1,%o2,%o3}, {%i4,%i5,%i6,%i7}, {%b4,%b5}, {%z,%z,%z,%z};" + mma +
      "{%o4,%o5,%o6,%o7}, {%i4,%i5,%i6,%i7}, {%b6,%b7}, {%z,%z,%z,%z};";
  CHECK(run_words(before + first + second + third, in, 12, 8, buffer) ==
        run_words(before + first + second + "mov.b32 %address, %t1;" + third, in, 12, 8, buffer));
}
