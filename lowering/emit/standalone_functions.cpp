// The text of the functions, in the order of the file. A float in memory is a sign, some exponent
// bits and some mantissa bits, so one function reads all of them; inputs are made of random bits
// and read back, so that nothing needs to be rounded. See standalone_functions.hpp.
#include "emit/standalone_functions.hpp"

namespace tilewright::emit {

namespace {

constexpr std::string_view check = R"(inline void check(cudaError_t error, const char* what) {
  if (error != cudaSuccess) std::printf("%s: %s\n", what, cudaGetErrorName(error)), std::exit(1); }
)";

constexpr std::string_view float_format =
    "struct Format { int bytes, exponent, mantissa; };  // of a float in memory, after its sign\n";
constexpr std::string_view any_format =
    "struct Format { int bytes, exponent, mantissa, limit; };  // integers: exponent 0, mantissa 1 "
    "if signed\n";

constexpr std::string_view decode_bits =
    R"(inline double decode(const unsigned char* at, Format f) {
  unsigned long long bits = 0;  std::memcpy(&bits, at, f.bytes);
)";
constexpr std::string_view decode_integer =
    "  const int unused = 64 - 8 * f.bytes;\n"
    "  if (f.exponent == 0) return f.mantissa ? double((long long)(bits << unused) >> unused) : "
    "double(bits);\n";
constexpr std::string_view decode_float =
    R"(  const int all = (1 << f.exponent) - 1, x = int(bits >> f.mantissa) & all, low = x - all / 2 - f.mantissa;
  const double one = double(1ull << f.mantissa), m = double(bits & ((1ull << f.mantissa) - 1));
)";
constexpr std::string_view special =
    "  const double v = x == all ? (m == 0 ? INFINITY : NAN) : x == 0 ? std::ldexp(m, low + 1) : "
    "std::ldexp(one + m, low);\n";
constexpr std::string_view special_with_e4m3 =
    R"(  const bool e4m3 = f.exponent == 4, end = x == all && (!e4m3 || m == one - 1);  // e4m3: no infinity, one NaN
  const double v = end ? (m == 0 ? INFINITY : NAN) : x == 0 ? std::ldexp(m, low + 1) : std::ldexp(one + m, low);
)";
constexpr std::string_view decode_sign =
    "  return bits >> (f.exponent + f.mantissa) & 1 ? -v : v;\n}\n";

constexpr std::string_view align =
    R"(// Gives `inner` stride 1 and the other axes strides of whole 16 bytes.
template <class T> void align(Array<T>& x, std::vector<long> shape, size_t inner) {
  long size = (shape[inner] + 15) / 16 * 16;
  for (size_t i = shape.size(); i-- > 0;) if (i != inner) x.stride[i] = size, size *= shape[i];
  x.stride[inner] = 1;
  x.data.resize(size);
}
)";

constexpr std::string_view fill_start =
    R"(// Puts the same numbers of (-1, 1) here and on the device; with seed 0, for outputs, NaN (integers: all bits).
template <class T> void* fill(Array<T>& x, Format f, unsigned seed) {
  std::vector<unsigned char> bytes(x.data.size() * f.bytes, 255);
  for (size_t i = 0, input = seed; i < x.data.size(); ++i) {
    seed = seed * 1664525u + 1013904223u;
    const unsigned exponent = (1 << f.exponent) / 2 - 2 - (seed >> 29 & 3), mantissa = seed << 3 >> (32 - f.mantissa);
)";
constexpr std::string_view fill_float =
    "    const unsigned bits = seed >> 31 << (f.exponent + f.mantissa) | exponent << f.mantissa | "
    "mantissa;\n";
constexpr std::string_view fill_integer =
    R"(    const unsigned number = seed >> 31 << (f.exponent + f.mantissa) | exponent << f.mantissa | mantissa;
    const unsigned long long bits = f.exponent ? number : (seed >> 8) % f.limit;  // integers: 0 to limit - 1
)";
constexpr std::string_view fill_end =
    R"(    if (input) std::memcpy(&bytes[i * f.bytes], &bits, f.bytes);
    x.data[i] = T(decode(&bytes[i * f.bytes], f));
  }
  void* device = nullptr;  check(cudaMalloc(&device, bytes.size()), "cudaMalloc");
  check(cudaMemcpy(device, bytes.data(), bytes.size(), cudaMemcpyHostToDevice), "copy to the device");
  return device;
}
)";

constexpr std::string_view lists =
    R"(// Rows that name the last tiles, backwards, each row one more; `cut`: the mask applies in all of them.
inline void fill_list(Array<int>& begin, Array<int>& end, Array<int>& tiles, int columns, bool cut) {
  for (size_t row = 0, at = 0; row < begin.data.size(); ++row) {
    begin.data[row] = int(at), end.data[row] = int(at + row % (columns + 1));
    for (int tile = columns; tile-- > 0; ++at) tiles.data[at] = cut ? ~tile : tile;
  }
}
inline void* upload(const Array<int>& x) {
  void* device = nullptr;  check(cudaMalloc(&device, x.data.size() * 4), "cudaMalloc");
  check(cudaMemcpy(device, x.data.data(), x.data.size() * 4, cudaMemcpyHostToDevice), "copy to the device");
  return device;
}
)";

constexpr std::string_view agrees =
    R"(// |result - x| / (1 + |x|) within the tolerance; equal infinities agree, so do NaNs where nothing was written.
template <class T> bool agrees(const char* name, Array<T>& x, const void* device, Format f, double tolerance) {
  std::vector<unsigned char> bytes(x.data.size() * f.bytes);
  check(cudaMemcpy(bytes.data(), device, bytes.size(), cudaMemcpyDeviceToHost), "copy from the device");
  double most = 0;
  for (size_t i = 0; i < x.data.size(); ++i) {
    const double result = decode(&bytes[i * f.bytes], f), want = double(x.data[i]);
    if (result == want || (result != result && want != want)) continue;
    const double error = std::fabs(result - want) / (1 + std::fabs(want));
    most = error >= 0 ? std::fmax(most, error) : INFINITY;
  }
  std::printf("%s: max error %.2g (tolerance %g) %s\n", name, most, tolerance, most <= tolerance ? "ok" : "WRONG");
  return most <= tolerance;
}
)";

}  // namespace

Lines standalone_functions(const FunctionChoice& choice) {
  std::string text(check);
  const auto add = [&](bool wanted, std::string_view more) {
    if (wanted) text += more;
  };
  add(true, choice.integers ? any_format : float_format);
  add(true, decode_bits);
  add(choice.integers, decode_integer);
  add(true, decode_float);
  add(true, choice.e4m3 ? special_with_e4m3 : special);
  add(true, decode_sign);
  add(choice.layouts, align);
  add(true, fill_start);
  add(true, choice.integers ? fill_integer : fill_float);
  add(true, fill_end);
  add(choice.lists, lists);
  add(true, agrees);
  return split(text);
}

}  // namespace tilewright::emit
