#include "emit/prelude.hpp"

#include <array>
#include <stdexcept>
#include <vector>

namespace tilewright::emit {
namespace {

struct Verb {
  std::string_view name;
  std::string_view needs;  ///< names separated by spaces
  std::string_view text;
};

// PTX ISA 8: sections on cp.async, ldmatrix, mma (m16n8k16), ex2, cvt. "memory" where the order of
// accesses is the meaning; without it where an instruction only computes.
constexpr std::array verbs = {
    Verb{"unroll", "", "#define unroll _Pragma(\"unroll\")"},
    Verb{"i64", "", "typedef long long i64;"},
    Verb{"u32", "", "typedef unsigned u32;"},
    Verb{"bf16", "",
         "typedef unsigned short bf16;                                      // storage: arithmetic "
         "is f32"},
    Verb{"f16", "",
         "typedef unsigned short f16;                                       // storage: arithmetic "
         "is f32"},
    Verb{"neg_inf", "", "#define neg_inf __int_as_float(0xff800000)"},
    Verb{"pos_inf", "", "#define pos_inf __int_as_float(0x7f800000)"},
    Verb{"floor_div", "",
         "__device__ int floor_div(int a, int b) { return a / b - (a % b != 0 && (a < 0) != (b < "
         "0)); }"},
    Verb{"floor_mod", "floor_div",
         "__device__ int floor_mod(int a, int b) { return a - b * floor_div(a, b); }"},
    Verb{"tile_of", "",
         "__device__ int tile_of(int entry) { return entry < 0 ? ~entry : entry; }  // of a list; "
         "negative: a cut tile"},
    Verb{"row_of", "",
         "template <class T, int n> struct alignas(sizeof(T) * n) row_of { T x[n]; };  // moves as "
         "one vector"},
    Verb{"shared_address", "u32",
         "__device__ u32 shared_address(const void* p) { return (u32)__cvta_generic_to_shared(p); "
         "}"},
    Verb{"from_bf16", "bf16",
         "__device__ float from_bf16(bf16 x) { return __int_as_float((int)x << 16); }"},
    Verb{"from_f16", "f16",
         "__device__ float from_f16(f16 x) { float r; asm(\"cvt.f32.f16 %0, %1;\" : \"=f\"(r) : "
         "\"h\"(x)); return r; }"},
    Verb{"to_bf16", "bf16",
         "__device__ bf16 to_bf16(float x) { bf16 r; asm(\"cvt.rn.bf16.f32 %0, %1;\" : \"=h\"(r) : "
         "\"f\"(x)); return r; }"},
    Verb{"to_f16", "f16",
         "__device__ f16 to_f16(float x) { f16 r; asm(\"cvt.rn.f16.f32 %0, %1;\" : \"=h\"(r) : "
         "\"f\"(x)); return r; }"},
    Verb{"pack_bf16", "u32",
         "__device__ u32 pack_bf16(float low, float high) {\n"
         "  u32 r; asm(\"cvt.rn.bf16x2.f32 %0, %1, %2;\" : \"=r\"(r) : \"f\"(high), \"f\"(low)); "
         "return r; }"},
    Verb{"pack_f16", "u32",
         "__device__ u32 pack_f16(float low, float high) {\n"
         "  u32 r; asm(\"cvt.rn.f16x2.f32 %0, %1, %2;\" : \"=r\"(r) : \"f\"(high), \"f\"(low)); "
         "return r; }"},
    Verb{"ex2", "",
         "__device__ float ex2(float x) { float r; asm(\"ex2.approx.ftz.f32 %0, %1;\" : \"=f\"(r) "
         ": \"f\"(x)); return r; }"},
    Verb{"finite", "neg_inf",
         "__device__ float finite(float m) { return m == neg_inf ? 0 : m; }    // ex2(x - "
         "finite(m)) is 0 for x = m = -inf"},
    Verb{"across_max", "unroll",
         "template <int lanes, class T> __device__ T across_max(T x) {          // of neighbouring "
         "lanes\n"
         "  unroll for (int d = 1; d < lanes; d *= 2) x = max(x, __shfl_xor_sync(~0u, x, d));  "
         "return x; }"},
    Verb{"across_sum", "unroll",
         "template <int lanes, class T> __device__ T across_sum(T x) {\n"
         "  unroll for (int d = 1; d < lanes; d *= 2) x += __shfl_xor_sync(~0u, x, d);  return x; "
         "}"},
    Verb{"take_larger", "u32",  // place -1, none yet, comes after all others
         "template <class T> __device__ void take_larger(T& best, int& place, T x, int i) {  // of "
         "equal elements the first; NaN never\n"
         "  if (x > best || (x == best && (u32)i < (u32)place)) best = x, place = i; }"},
    Verb{"across_argmax", "unroll take_larger",
         "template <int lanes, class T> __device__ int across_argmax(T best, int place) {\n"
         "  unroll for (int d = 1; d < lanes; d *= 2) {\n"
         "    const T x = __shfl_xor_sync(~0u, best, d);  take_larger(best, place, x, "
         "__shfl_xor_sync(~0u, place, d)); }\n"
         "  return place; }"},
    Verb{
        "across_rows_max", "unroll",
        "template <int lanes, class T> __device__ T across_rows_max(T x) {     // of the rows that "
        "`lanes` neighbours each hold\n"
        "  unroll for (int d = lanes; d < 32; d *= 2) x = max(x, __shfl_xor_sync(~0u, x, d));  "
        "return x; }"},
    Verb{
        "across_rows_sum", "unroll",
        "template <int lanes, class T> __device__ T across_rows_sum(T x) {     // of the rows that "
        "`lanes` neighbours each hold\n"
        "  unroll for (int d = lanes; d < 32; d *= 2) x += __shfl_xor_sync(~0u, x, d);  return x; "
        "}"},
    Verb{"across_rows_argmax", "unroll take_larger",
         "template <int lanes, class T> __device__ void across_rows_argmax(T& best, int& place) {\n"
         "  unroll for (int d = lanes; d < 32; d *= 2) {\n"
         "    const T x = __shfl_xor_sync(~0u, best, d);  take_larger(best, place, x, "
         "__shfl_xor_sync(~0u, place, d)); } }"},
    Verb{"shift_left", "u32",
         "__device__ int shift_left(int x, int n) { return (u32)n < 32 ? x << n : 0; }"},
    Verb{"shift_right", "u32",
         "__device__ int shift_right(int x, int n) { return x >> ((u32)n < 32 ? n : 31); }"},
    Verb{"random_bits", "u32 unroll",
         "__device__ int random_bits(u32 seed, u32 seed_high, u32 offset, u32 stream) {  // "
         "Philox4x32-10, one word\n"
         "  u32 c[4] = {offset / 4, 0, stream, 0};\n"
         "  unroll for (int round = 0; round < 10; ++round) {\n"
         "    const u32 a = 0xD2511F53u * c[0], b = 0xCD9E8D57u * c[2];\n"
         "    const u32 a_high = __umulhi(0xD2511F53u, c[0]), b_high = __umulhi(0xCD9E8D57u, "
         "c[2]);\n"
         "    c[0] = b_high ^ c[1] ^ seed;  c[1] = b;  c[2] = a_high ^ c[3] ^ seed_high;  c[3] = "
         "a;\n"
         "    seed += 0x9E3779B9u;  seed_high += 0xBB67AE85u; }\n"
         "  return offset & 2 ? offset & 1 ? c[3] : c[2] : offset & 1 ? c[1] : c[0]; }"},
    Verb{"load_row", "i64 row_of unroll",
         "template <int n, class T> __device__ void load_row(T (&x)[n], const T* from, int left) { "
         " // n neighbours, zero past `left`\n"
         "  if (left >= n) { *(row_of<T, n>*)x = *(const row_of<T, n>*)from; return; }\n"
         "  unroll for (int i = 0; i < n; ++i) x[i] = i < left ? from[i] : T(0); }"},
    Verb{"store_row", "i64 row_of unroll",
         "template <int n, class T> __device__ void store_row(T* to, const T (&x)[n], int left) {\n"
         "  if (left < n) { unroll for (int i = 0; i < n; ++i) if (i < left) to[i] = x[i];  "
         "return; }\n"
         "  if constexpr (sizeof(T) * n == 16) __stwb((uint4*)to, *(const uint4*)x);  // a plain "
         "store here may be split\n"
         "  else *(row_of<T, n>*)to = *(const row_of<T, n>*)x; }"},
    Verb{"commit_copies", "",
         "__device__ void commit_copies() { asm volatile(\"cp.async.commit_group;\" ::: "
         "\"memory\"); }"},
    Verb{"wait_copies", "",  // all but the newest groups are complete
         "template <int newer> __device__ void wait_copies() { "
         "asm volatile(\"cp.async.wait_group %0;\" :: \"n\"(newer) : \"memory\"); }"},
    Verb{"copy16", "u32",
         "__device__ void copy16(u32 to, const void* from, int bytes) {         // 16 bytes, zero "
         "past `bytes`\n"
         "  asm volatile(\"cp.async.cg.shared.global [%0], [%1], 16, %2;\" :: \"r\"(to), "
         "\"l\"(from), \"r\"(bytes) : \"memory\"); }"},
    Verb{"store16", "u32",
         "__device__ void store16(u32 to, uint4 x) {\n"
         "  asm volatile(\"st.shared.v4.b32 [%0], {%1, %2, %3, %4};\"\n"
         "      :: \"r\"(to), \"r\"(x.x), \"r\"(x.y), \"r\"(x.z), \"r\"(x.w) : \"memory\"); }"},
    Verb{"store2", "u32",
         "__device__ void store2(u32 to, unsigned short x) { asm volatile(\"st.shared.b16 [%0], "
         "%1;\" :: \"r\"(to), \"h\"(x) : \"memory\"); }"},
    Verb{"store4", "u32",
         "__device__ void store4(u32 to, u32 x) { asm volatile(\"st.shared.b32 [%0], %1;\" :: "
         "\"r\"(to), \"r\"(x) : \"memory\"); }"},
    Verb{"chunk_at", "",
         "template <int pitch> __device__ int chunk_at(int row, int chunk) {    // a 16-byte "
         "chunk, without bank conflicts\n"
         "  return (row * pitch + (pitch % 8 == 0 ? chunk ^ row % 8 : chunk)) * 16; }"},
    // Where rows divide among the threads each thread keeps its chunk. Otherwise slots are walked,
    // with the gaps of a padded row, so that 8 neighbouring lanes fill 8 groups of banks.
    Verb{"each_chunk", "unroll",
         "template <int rows, int chunks, int pitch, int threads, class Body> __device__ void "
         "each_chunk(Body body) {\n"
         "  if constexpr (threads % chunks == 0 && pitch % 8 == 0) {\n"
         "    constexpr int step = threads / chunks;                            // rows at a time\n"
         "    const int row = threadIdx.x / chunks, chunk = threadIdx.x % chunks;\n"
         "    unroll for (int i = 0; i < (rows + step - 1) / step; ++i)\n"
         "      if (rows % step == 0 || row + step * i < rows) body(row + step * i, chunk);\n"
         "  } else for (int i = threadIdx.x; i < rows * pitch; i += threads)\n"
         "    if (i % pitch < chunks) body(i / pitch, i % pitch); }"},
    Verb{
        "copy_tile", "i64 u32 copy16 chunk_at each_chunk",
        "template <int rows, int width, int chunks, int pitch, int threads, class T>  // global to "
        "shared, zero past `left` rows\n"
        "__device__ void copy_tile(u32 to, const T* from, i64 stride, int left) {\n"
        "  each_chunk<rows, chunks, pitch, threads>([&](int row, int chunk) {\n"
        "    const int n = 16 / sizeof(T), bytes = n * chunks == width ? 16 : max(0, min(16, "
        "(width "
        "- n * chunk) * 16 / n));\n"
        "    copy16(to + chunk_at<pitch>(row, chunk), from + row * stride + n * chunk, row < left "
        "? bytes : 0); }); }"},
    Verb{"copy_tile_ragged", "i64 u32 copy16 chunk_at each_chunk",
         "template <int rows, int chunks, int pitch, int threads, class T>      // the same, zero "
         "past `columns` too\n"
         "__device__ void copy_tile_ragged(u32 to, const T* from, i64 stride, int left, int "
         "columns) {\n"
         "  each_chunk<rows, chunks, pitch, threads>([&](int row, int chunk) {\n"
         "    const int n = 16 / sizeof(T), bytes = row < left ? max(0, min(16, (columns - n * "
         "chunk) * 16 / n)) : 0;\n"
         "    copy16(to + chunk_at<pitch>(row, chunk), from + row * stride + (bytes > 0 ? n * "
         "chunk : 0), bytes); }); }"},
    Verb{"copy_tile_within", "i64 u32 copy16 chunk_at each_chunk",
         "template <int rows, int chunks, int pitch, int threads, class T>      // the same, zero "
         "before row `first` too\n"
         "__device__ void copy_tile_within(u32 to, const T* from, i64 stride, int first, int left, "
         "int columns) {\n"
         "  each_chunk<rows, chunks, pitch, threads>([&](int row, int chunk) {\n"
         "    const int n = 16 / sizeof(T);\n"
         "    const int bytes = row >= first && row < left ? max(0, min(16, (columns - n * chunk) "
         "* 16 / n)) : 0;\n"
         "    copy16(to + chunk_at<pitch>(row, chunk), from + (bytes > 0 ? row * stride + n * "
         "chunk : 0), bytes); }); }"},
    Verb{"copy_tile_signed", "i64 u32 store16 chunk_at each_chunk",
         "template <int rows, int width, int chunks, int pitch, int threads, class T>  // through "
         "registers, sign as asked\n"
         "__device__ void copy_tile_signed(u32 to, const T* from, i64 stride, int left, bool flip) "
         "{\n"
         "  constexpr int n = 16 / sizeof(T);  const u32 sign = flip ? n == 8 ? 0x80008000u : "
         "0x80000000u : 0u;\n"
         "  each_chunk<rows, chunks, pitch, threads>([&](int row, int chunk) {\n"
         "    uint4 x = {0, 0, 0, 0};\n"
         "    if (row < left && n * chunk < width) x = *(const uint4*)(from + row * stride + n * "
         "chunk);\n"
         "    store16(to + chunk_at<pitch>(row, chunk), {x.x ^ sign, x.y ^ sign, x.z ^ sign, x.w ^ "
         "sign}); }); }"},
    Verb{"gather_tile", "i64 u32 store16 chunk_at each_chunk unroll",
         "template <int rows, int chunks, int pitch, int threads, class T>      // global to "
         "shared at any strides, zero past the ends\n"
         "__device__ void gather_tile(u32 to, const T* from, i64 stride, i64 inner, int left, int "
         "columns, bool flip) {\n"
         "  each_chunk<rows, chunks, pitch, threads>([&](int row, int chunk) {\n"
         "    constexpr int n = 16 / sizeof(T), bits = 8 * sizeof(T);\n"
         "    u32 w[4] = {0, 0, 0, 0}, sign = flip ? bits == 16 ? 0x80008000u : 0x80000000u : 0u;\n"
         "    const T* at = from + row * stride + n * chunk * inner;\n"
         "    unroll for (int i = 0; i < n; ++i)\n"
         "      if (row < left && n * chunk + i < columns) {\n"
         "        if constexpr (bits == 16) w[i / 2] |= (u32)at[i * inner] << 16 * (i % 2);\n"
         "        else w[i] = __float_as_uint(at[i * inner]); }\n"
         "    store16(to + chunk_at<pitch>(row, chunk), {w[0] ^ sign, w[1] ^ sign, w[2] ^ sign, "
         "w[3] ^ sign}); }); }"},
    Verb{
        "copy_rows", "u32 copy16 chunk_at each_chunk",
        "template <int rows, int chunks, int pitch, int threads, class T, class Row>\n"
        "__device__ void copy_rows(u32 to, const T* from, int columns, Row row_at) {  // rows that "
        "stand anywhere, zero for none\n"
        "  each_chunk<rows, chunks, pitch, threads>([&](int row, int chunk) {\n"
        "    const T* at = row_at(row);\n"
        "    const int n = 16 / sizeof(T), bytes = at ? max(0, min(16, (columns - n * chunk) * 16 "
        "/ n)) : 0;\n"
        "    copy16(to + chunk_at<pitch>(row, chunk), bytes > 0 ? at + n * chunk : from, bytes); "
        "}); }"},
    Verb{
        "copy_rows_signed", "u32 store16 chunk_at each_chunk",
        "template <int rows, int chunks, int pitch, int threads, class Row>    // the same through "
        "registers, sign as asked\n"
        "__device__ void copy_rows_signed(u32 to, int columns, bool flip, Row row_at) {\n"
        "  each_chunk<rows, chunks, pitch, threads>([&](int row, int chunk) {\n"
        "    const auto* at = row_at(row);\n"
        "    constexpr int n = 16 / sizeof(*at);  const u32 sign = flip ? n == 8 ? 0x80008000u : "
        "0x80000000u : 0u;\n"
        "    uint4 x = {0, 0, 0, 0};\n"
        "    if (at && n * chunk < columns) x = *(const uint4*)(at + n * chunk);\n"
        "    store16(to + chunk_at<pitch>(row, chunk), {x.x ^ sign, x.y ^ sign, x.z ^ sign, x.w ^ "
        "sign}); }); }"},
    Verb{
        "gather_rows", "i64 u32 store16 chunk_at each_chunk unroll",
        "template <int rows, int chunks, int pitch, int threads, class Row>    // the same at any "
        "strides\n"
        "__device__ void gather_rows(u32 to, i64 inner, int columns, bool flip, Row row_at) {\n"
        "  each_chunk<rows, chunks, pitch, threads>([&](int row, int chunk) {\n"
        "    const auto* at = row_at(row);\n"
        "    constexpr int n = 16 / sizeof(*at), bits = 8 * sizeof(*at);\n"
        "    u32 w[4] = {0, 0, 0, 0}, sign = flip ? bits == 16 ? 0x80008000u : 0x80000000u : "
        "0u;\n"
        "    unroll for (int i = 0; i < n; ++i)\n"
        "      if (at && n * chunk + i < columns) {\n"
        "        if constexpr (bits == 16) w[i / 2] |= (u32)at[(n * chunk + i) * inner] << 16 * (i "
        "% 2);\n"
        "        else w[i] = __float_as_uint(at[(n * chunk + i) * inner]); }\n"
        "    store16(to + chunk_at<pitch>(row, chunk), {w[0] ^ sign, w[1] ^ sign, w[2] ^ sign, "
        "w[3] ^ sign}); }); }"},
    Verb{"gather_tile_within", "i64 u32 store16 chunk_at each_chunk unroll",
         "template <int rows, int chunks, int pitch, int threads, class T>      // the same, zero "
         "before row `first` and column `begin` too\n"
         "__device__ void gather_tile_within(u32 to, const T* from, i64 stride, i64 inner, int "
         "left, int columns, bool flip,\n"
         "                                   int first, int begin) {\n"
         "  each_chunk<rows, chunks, pitch, threads>([&](int row, int chunk) {\n"
         "    constexpr int n = 16 / sizeof(T), bits = 8 * sizeof(T);\n"
         "    u32 w[4] = {0, 0, 0, 0}, sign = flip ? bits == 16 ? 0x80008000u : 0x80000000u : 0u;\n"
         "    const T* at = from + row * stride + n * chunk * inner;\n"
         "    unroll for (int i = 0; i < n; ++i)\n"
         "      if (row >= first && row < left && n * chunk + i >= begin && n * chunk + i < "
         "columns) {\n"
         "        if constexpr (bits == 16) w[i / 2] |= (u32)at[i * inner] << 16 * (i % 2);\n"
         "        else w[i] = __float_as_uint(at[i * inner]); }\n"
         "    store16(to + chunk_at<pitch>(row, chunk), {w[0] ^ sign, w[1] ^ sign, w[2] ^ sign, "
         "w[3] ^ sign}); }); }"},
    Verb{"ldmatrix", "u32",
         "__device__ void ldmatrix(u32 (&r)[4], u32 at) {\n"
         "  asm volatile(\"ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\"\n"
         "      : \"=r\"(r[0]), \"=r\"(r[1]), \"=r\"(r[2]), \"=r\"(r[3]) : \"r\"(at) : "
         "\"memory\"); }"},
    Verb{"ldmatrix_trans", "u32",
         "__device__ void ldmatrix_trans(u32 (&r)[4], u32 at) {\n"
         "  asm volatile(\"ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, "
         "[%4];\"\n"
         "      : \"=r\"(r[0]), \"=r\"(r[1]), \"=r\"(r[2]), \"=r\"(r[3]) : \"r\"(at) : "
         "\"memory\"); }"},
    Verb{
        "mma_bf16", "u32",
        "__device__ void mma_bf16(float (&d)[4], const u32 (&a)[4], u32 b, u32 c) {\n"
        "  asm(\"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
        "{%8,%9}, {%0,%1,%2,%3};\"\n"
        "      : \"+f\"(d[0]), \"+f\"(d[1]), \"+f\"(d[2]), \"+f\"(d[3])"
        " : \"r\"(a[0]), \"r\"(a[1]), \"r\"(a[2]), \"r\"(a[3]), \"r\"(b), \"r\"(c)); }"},
    Verb{"mma_f16", "u32",
         "__device__ void mma_f16(float (&d)[4], const u32 (&a)[4], u32 b, u32 c) {\n"
         "  asm(\"mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
         "{%8,%9}, {%0,%1,%2,%3};\"\n"
         "      : \"+f\"(d[0]), \"+f\"(d[1]), \"+f\"(d[2]), \"+f\"(d[3])"
         " : \"r\"(a[0]), \"r\"(a[1]), \"r\"(a[2]), \"r\"(a[3]), \"r\"(b), \"r\"(c)); }"},
    Verb{"load4", "u32",
         "__device__ float load4(u32 at) { float r; asm volatile(\"ld.shared.f32 %0, [%1];\" : "
         "\"=f\"(r) : \"r\"(at) : \"memory\"); return r; }"},
    Verb{"tf32", "u32",
         "__device__ u32 tf32(float x) { u32 r; asm(\"cvt.rna.tf32.f32 %0, %1;\" : \"=r\"(r) : "
         "\"f\"(x)); return r; }"},
    Verb{"split", "u32 tf32 unroll",
         "template <int n> __device__ void split(u32 (&high)[n], u32 (&low)[n], const float "
         "(&x)[n]) {  // x = high + low\n"
         "  unroll for (int i = 0; i < n; ++i) high[i] = tf32(x[i]), low[i] = tf32(x[i] - "
         "__uint_as_float(high[i])); }"},
    Verb{"to_tf32", "u32 tf32 unroll",
         "template <int n> __device__ void to_tf32(u32 (&r)[n], const float (&x)[n]) { unroll for "
         "(int i = 0; i < n; ++i) r[i] = tf32(x[i]); }"},
    Verb{"mma_tf32", "u32",
         "__device__ void mma_tf32(float (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {\n"
         "  asm(\"mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, "
         "{%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\"\n"
         "      : \"+f\"(d[0]), \"+f\"(d[1]), \"+f\"(d[2]), \"+f\"(d[3])"
         " : \"r\"(a[0]), \"r\"(a[1]), \"r\"(a[2]), \"r\"(a[3]), \"r\"(b[0]), \"r\"(b[1])); }"},
    Verb{"mma_f32", "u32 split mma_tf32",
         "__device__ void mma_f32(float (&d)[4], const u32 (&a)[4], const u32 (&a_low)[4], const "
         "float (&b)[2]) {\n"
         "  u32 high[2], low[2];  split(high, low, b);                          // small terms "
         "first; low * low is below f32\n"
         "  mma_tf32(d, a_low, high);  mma_tf32(d, a, low);  mma_tf32(d, a, high); }"},
};

const Verb& find(std::string_view name) {
  for (const Verb& verb : verbs)
    if (verb.name == name) return verb;
  throw std::logic_error("the prelude has no verb " + std::string(name));
}

}  // namespace

void Prelude::use(std::string_view name) {
  if (used_.contains(name)) return;
  const Verb& verb = find(name);
  used_.emplace(name);
  std::string_view rest = verb.needs;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    use(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

std::string Prelude::text() const {
  std::string text;
  for (const Verb& verb : verbs) {
    if (!used_.contains(verb.name)) continue;
    text += verb.text;
    text += verb.name == "i64" && used_.contains("u32") ? "  " : "\n";
  }
  return text;
}

bool Prelude::defines(std::string_view name) {
  for (const Verb& verb : verbs)
    if (verb.name == name) return true;
  return false;
}

}  // namespace tilewright::emit
