// A kernel: a name and a lambda. Making one stores the lambda and nothing else; `trace` runs it
// once, with the arguments its signature declares, and the gate hears what it says.
#pragma once

#include <utility>

#include "tilewright/dsl/block_list.hpp"
#include "tilewright/dsl/tensor.hpp"

namespace tilewright {

/// What `compile` takes: a kernel without its type.
class KernelSource {
 public:
  virtual ~KernelSource() = default;
  const std::string& name() const { return name_; }
  const Where& where() const { return where_; }
  /// Runs the kernel's lambda; every statement becomes calls of `gate`. Throws Error
  /// (invalid_program) for what only shows then, with the user's file:line.
  virtual void trace(Gate& gate) const = 0;

 protected:
  KernelSource(std::string name, Where where) : name_(std::move(name)), where_(std::move(where)) {}
  KernelSource(const KernelSource&) = default;

 private:
  std::string name_;
  Where where_;
};

namespace detail {

template <typename X>
inline constexpr bool is_kernel_argument = false;
template <Name name, DType T, auto... Dims>
inline constexpr bool is_kernel_argument<In<name, T, Dims...>> = true;
template <Name name, DType T, auto... Dims>
inline constexpr bool is_kernel_argument<Out<name, T, Dims...>> = true;
template <Name name, DType T, auto... Dims>
inline constexpr bool is_kernel_argument<Temp<name, T, Dims...>> = true;
template <Name name, DType T, auto... Dims>
inline constexpr bool is_kernel_argument<InOut<name, T, Dims...>> = true;
template <Name name, DType T>
inline constexpr bool is_kernel_argument<Scalar<name, T>> = true;
template <Name name, auto... Dims>
inline constexpr bool is_kernel_argument<BlockList<name, Dims...>> = true;

/// One argument, or the tensors of a list.
template <typename Parameter>
void declare(Gate& gate) {
  if constexpr (requires { Parameter::argument(); })
    gate.declare(Parameter::argument());
  else
    for (const Argument& argument : Parameter::arguments()) gate.declare(argument);
}

template <typename Call>
struct Signature;
template <typename Lambda, typename Result, typename... Arguments>
struct Signature<Result (Lambda::*)(Arguments...) const> {
  using type = hana::tuple<hana::type<std::remove_cvref_t<Arguments>>...>;
};
template <typename Lambda, typename Result, typename... Arguments>
struct Signature<Result (Lambda::*)(Arguments...)> {
  using type = hana::tuple<hana::type<std::remove_cvref_t<Arguments>>...>;
};

template <typename Lambda>
inline constexpr bool has_one_signature = requires {
  &Lambda::operator();
};

template <typename... Arguments>
inline constexpr bool are_kernel_arguments = (is_kernel_argument<Arguments> && ...);

template <typename... Arguments>
inline constexpr bool have_distinct_dimensions = (Arguments::has_distinct_dimensions && ...);

/// A list says for rows which tiles.
template <typename Parameter>
inline constexpr bool is_a_whole_list = true;
template <Name name, auto... Dims>
inline constexpr bool is_a_whole_list<BlockList<name, Dims...>> = sizeof...(Dims) >= 2;
template <typename... Arguments>
inline constexpr bool are_whole_lists = (is_a_whole_list<Arguments> && ...);

/// The kernel of a lambda that was refused: never traced, for the program does not compile.
class RefusedKernel final : public KernelSource {
 public:
  RefusedKernel() : KernelSource({}, {}) {}
  void trace(Gate&) const override {}
};

template <typename Lambda, typename... Arguments>
class KernelOf final : public KernelSource {
 public:
  KernelOf(std::string name, Where where, Lambda body)
      : KernelSource(std::move(name), std::move(where)), body_(std::move(body)) {}

  void trace(Gate& gate) const override {
    const Trace running(gate);
    (declare<Arguments>(gate), ...);
    Lambda body = body_;
    body(Arguments{}...);
  }

 private:
  Lambda body_;
};

}  // namespace detail

/// kernel("name", [](In<…> q, …, Out<…> o, Scalar<…> s) { … }). Runs nothing yet.
template <typename Lambda>
auto kernel(std::string name, Lambda body,
            const std::source_location place = std::source_location::current()) {
  if constexpr (!detail::has_one_signature<Lambda>) {
    static_assert(detail::has_one_signature<Lambda>,
                  "kernel(name, lambda): parameters must be In, Out, InOut, Temp, Scalar or "
                  "BlockList, not auto");
    return detail::RefusedKernel{};
  } else {
    using Parameters = typename detail::Signature<decltype(&Lambda::operator())>::type;
    return hana::unpack(Parameters{}, [&](auto... argument) {
      if constexpr (!detail::are_kernel_arguments<typename decltype(argument)::type...>) {
        static_assert(detail::are_kernel_arguments<typename decltype(argument)::type...>,
                      "kernel(name, lambda): parameters must be In, Out, InOut, Temp, Scalar or "
                      "BlockList, not auto");
        return detail::RefusedKernel{};
      } else if constexpr (!detail::have_distinct_dimensions<
                               typename decltype(argument)::type...>) {
        static_assert(detail::have_distinct_dimensions<typename decltype(argument)::type...>,
                      "In, Out, InOut, Temp, BlockList: the dimensions of a tensor must differ");
        return detail::RefusedKernel{};
      } else if constexpr (!detail::are_whole_lists<typename decltype(argument)::type...>) {
        static_assert(
            detail::are_whole_lists<typename decltype(argument)::type...>,
            "BlockList<name, B, H, M, N>: needs a dimension of rows and one of listed tiles");
        return detail::RefusedKernel{};
      } else {
        return detail::KernelOf<Lambda, typename decltype(argument)::type...>(
            std::move(name), detail::where_of(place), std::move(body));
      }
    });
  }
}

}  // namespace tilewright
