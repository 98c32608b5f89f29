// Lesson 6: reading what a kernel became. Every line of generated CUDA knows the line of yours it
// comes from; this program prints the two side by side, and what the machine code needs.
//
//   build/examples/06_reading_the_cuda           this file's kernel
//   build/tilewright dump flash --causal         any variant's, as one file that builds alone
//
// How to read it. The file starts with what it is: tile sizes, threads, shared memory, what it asks
// of its tensors, then the verbs it uses (ldmatrix, copy_tile, ...), each a few lines of PTX or
// CUDA. In the kernel, names are those of your program; `x[j][i]` is one thread's part of a tile,
// and the comment under the first line says which elements those are. A statement is a paragraph
// that begins with its number, its text and the size of its result; statements that only name
// something vanish into those that use them. What belongs to no line of yours (a barrier, a copy of
// the next tile) is put to the line of the load or the loop it serves.
//
// Next: 07_race.cpp.
#include <fstream>
#include <map>
#include <sstream>
#include <tilewright/dsl.hpp>

#include "lesson.hpp"
using namespace tilewright;

constexpr Dim<"row"> M;
constexpr Dim<"column"> N;

// clang-format off
auto rms_norm = kernel("rms_norm", [](In<"x", bf16, M, N> X, In<"gain", f32, N> Gain, Out<"y", bf16, M, N> Y) {
  auto m = blocks(M);
  Var<f32, M> squares{"squares", 0.f};
  for_blocks(N, [&](auto n) {
    auto x  = let("x", cast<f32>(load(X(m, n))));
    squares = squares + reduce_sum(x * x, N);
  });
  auto scale = let("scale", rsqrt(squares / cast<f32>(extent(N)) + 1e-6f));
  for_blocks(N, [&](auto n) {
    store(Y(m, n), cast<f32>(load(X(m, n))) * scale * load(Gain(n)));
  });
});
// clang-format on

/// This file's lines; the compiler may know it by a path from another folder.
std::ifstream this_file() {
  std::ifstream file(__FILE__);
  if (!file) file.open("examples/06_reading_the_cuda.cpp");
  return file;
}

/// Prints each line of this file that became something, and below it what.
void side_by_side(const Plan& plan) {
  std::map<int, std::string> became;
  int number = 0;
  std::string line;
  for (std::istringstream cuda(plan.cuda_source()); std::getline(cuda, line);) {
    const std::string place =
        plan.source_of(++number, true);  // "examples/06_reading_the_cuda.cpp:35"
    if (const std::size_t colon = place.find(':'); colon != std::string::npos)
      became[std::stoi(place.substr(colon + 1))] += "    | " + line + "\n";
  }
  std::ifstream file = this_file();
  number = 0;
  while (std::getline(file, line))
    if (const auto found = became.find(++number); found != became.end())
      std::printf("%3d %s\n%s\n", number, line.c_str(), found->second.c_str());
}

int main(int argc, char** argv) try {
  const Device device = Device::open();
  const Plan plan = compile(device, rms_norm);
  if (lesson::wants_cuda(argc, argv)) return lesson::show(plan.cuda_source());
  side_by_side(plan);

  const int rows = 50, columns = 1000;
  const lesson::Tensor x(device, bf16, {rows, columns}, 1), gain(device, f32, {columns}, 2);
  lesson::Tensor y(device, bf16, {rows, columns});
  plan.launch(Stream::default_stream(device), {{"x", x}, {"gain", gain}, {"y", y}});
  y.download();
  double error = 0;
  for (int i = 0; i < rows; ++i) {
    double squares = 0;
    for (int j = 0; j < columns; ++j) squares += x(i, j) * x(i, j) / columns;
    for (int j = 0; j < columns; ++j) {
      const double want = x(i, j) / std::sqrt(squares + 1e-6) * gain(j);
      error = lesson::worse(error, std::fabs(y(i, j) - want) / (1 + std::fabs(want)));
    }
  }
  return lesson::verdict(plan, error, 4e-3);
} catch (const Error& error) {
  return lesson::failed(error);
}
