// Lesson 9: tensors that are read and written, branches, rows picked by number.
//
// A table of word vectors is looked up and normalised, row by row, and how often each word was seen
// is counted. `word` is a tile of indices: each of its elements picks a row of the table. An index
// outside the table loads 0, and nothing is counted for it. Rows of several programs meet in one
// counter, so they add by `atomic_add`, the one way in which programs may write to the same place.
// `when` takes a condition that is the same for a whole program; C++'s own `if` is decided while
// the kernel is traced.
//
// Next: the kernels of tests/language, and the variants in library/.
#include <tilewright/dsl.hpp>

#include "lesson.hpp"
using namespace tilewright;

constexpr Dim<"position"> M;
constexpr Dim<"word"> V;
constexpr Dim<"column"> N;

// clang-format off
auto embed = kernel("embed",
    [](In<"word", f32, M> Words, In<"table", bf16, V, N> Table, In<"gain", f32, N> Gain,
       InOut<"seen", f32, V> Seen, Out<"y", bf16, M, N> Y, Scalar<"centred", i32> centred) {
      auto m = blocks(M);
      auto word = let("word_of_row", cast<i32>(load(Words(m))));
      atomic_add(Seen(word), 1.f);                               // shared by all programs

      Var<f32, M> mean{"mean", 0.f};
      when(centred != 0, [&] {                                   // all rows or none: a branch costs nothing
        for_blocks(N, [&](auto n) { mean = mean + reduce_sum(cast<f32>(load(Table(word, n))), N); });
        mean = mean / cast<f32>(extent(N));
      });
      Var<f32, M> squares{"squares", 0.f};
      for_blocks(N, [&](auto n) {
        auto apart = let("apart", cast<f32>(load(Table(word, n))) - mean);
        squares = squares + reduce_sum(apart * apart, N);
      });
      auto scale = let("scale", rsqrt(squares / cast<f32>(extent(N)) + 1e-5f));
      for_blocks(N, [&](auto n) {
        store(Y(m, n), (cast<f32>(load(Table(word, n))) - mean) * scale * load(Gain(n)));
      });
    });
// clang-format on

int main(int argc, char** argv) try {
  const Device device = Device::open();
  const Plan plan = compile(device, embed);
  if (lesson::wants_cuda(argc, argv)) return lesson::show(plan.cuda_source());

  const int rows = 333, columns = 777, words = 2;  // the numbers of `word` lie between -2 and 2
  const lesson::Tensor word(device, f32, {rows}, 1), table(device, bf16, {words, columns}, 2);
  const lesson::Tensor gain(device, f32, {columns}, 3);
  lesson::Tensor seen(device, f32, {words}, 4), y(device, bf16, {rows, columns});
  std::vector<double> count{seen(0), seen(1)};

  double error = 0;
  for (const bool centred : {true, false}) {
    plan.launch(Stream::default_stream(device), {{"word", word},
                                                 {"table", table},
                                                 {"gain", gain},
                                                 {"seen", seen},
                                                 {"y", y},
                                                 {"centred", centred ? 1.0 : 0.0}});
    y.download();
    for (int i = 0; i < rows; ++i) {
      const int w = static_cast<int>(word(i));
      const auto x = [&](int j) { return w < 0 || w >= words ? 0.0 : table(w, j); };
      double mean = 0, squares = 0;
      for (int j = 0; j < columns && centred; ++j) mean += x(j) / columns;
      for (int j = 0; j < columns; ++j) squares += (x(j) - mean) * (x(j) - mean) / columns;
      for (int j = 0; j < columns; ++j) {
        const double want = (x(j) - mean) / std::sqrt(squares + 1e-5) * gain(j);
        error = lesson::worse(error, std::fabs(y(i, j) - want) / (1 + std::fabs(want)));
      }
      if (w >= 0 && w < words) count[static_cast<std::size_t>(w)] += 1;
    }
  }
  seen.download();
  for (int w = 0; w < words; ++w)
    error = lesson::worse(error, std::fabs(seen(w) - count[static_cast<std::size_t>(w)]));
  return lesson::verdict(plan, error, 4e-3);
} catch (const Error& error) {
  return lesson::failed(error);
}
