// What the tests of threads and devices share: a kernel that is another one for each number it is
// made with, tensors on any device, and threads that start together.
#pragma once

#include <barrier>
#include <functional>
#include <mutex>
#include <thread>

#include "plan_kernels.hpp"

namespace plans {

/// y = x * factor + 1.
inline auto scaled(float factor) {
  return kernel("scaled", [factor](In<"x", f32, R, C> X, Out<"y", f32, R, C> Y) {
    auto r = each(R);
    auto c = blocks(C);
    store(Y(r, c), load(X(r, c)) * factor + 1.f);
  });
}

/// x and y of `scaled` on a device, with numbers that no other pair has.
class Pair {
 public:
  Pair(const Device& device, std::int64_t rows, std::int64_t columns, float first)
      : rows_(rows), columns_(columns), numbers_(static_cast<std::size_t>(rows * columns)) {
    for (std::size_t i = 0; i < numbers_.size(); ++i)
      numbers_[i] = first + static_cast<float>(i % 512) / 8;
    x_ = Buffer(device, numbers_.size() * sizeof(float));
    y_ = Buffer(device, numbers_.size() * sizeof(float));
    x_.upload(numbers_.data(), x_.bytes());
    y_.fill(0xff);
  }
  TensorView x() const { return view(x_); }
  TensorView y() const { return view(y_); }
  std::vector<Binding> arguments() const { return {{"x", x()}, {"y", y()}}; }
  /// Elements of y that are not `function` of x's.
  int wrong(const std::function<float(float)>& function) const {
    std::vector<float> result(numbers_.size());
    y_.download(result.data(), y_.bytes());
    int count = 0;
    for (std::size_t i = 0; i < result.size(); ++i) count += !(result[i] == function(numbers_[i]));
    return count;
  }
  int wrong(float factor) const {
    return wrong([&](float x) { return x * factor + 1.f; });
  }
  int wrong(int factor) const { return wrong(static_cast<float>(factor)); }

 private:
  TensorView view(const Buffer& buffer) const {
    return TensorView::contiguous(buffer.address(), f32, {rows_, columns_});
  }
  std::int64_t rows_, columns_;
  std::vector<float> numbers_;
  Buffer x_, y_;
};

/// Runs `action(0)` to `action(count - 1)` at once, and gives back what went wrong: a line for
/// every thread whose action threw or returned a sentence.
inline std::string at_once(int count, const std::function<std::string(int)>& action) {
  std::string lines;
  std::mutex mutex;
  std::barrier start(count);
  std::vector<std::thread> threads;
  for (int t = 0; t < count; ++t)
    threads.emplace_back([&, t] {
      start.arrive_and_wait();
      std::string sentence;
      try {
        sentence = action(t);
      } catch (const std::exception& error) {
        sentence = error.what();
      }
      if (sentence.empty()) return;
      const std::lock_guard lock(mutex);
      lines += "thread " + std::to_string(t) + ": " + sentence + "\n";
    });
  for (std::thread& thread : threads) thread.join();
  return lines;
}

inline std::string wrong_elements(int count) {
  return count == 0 ? "" : std::to_string(count) + " wrong elements";
}

}  // namespace plans
