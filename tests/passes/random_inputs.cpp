// The numbers a random program runs on (random_program.hpp): dyadic data, so that exact programs
// have something to be exact about, and everything a name promises.
#include "random_program.hpp"

namespace tilewright::test {
namespace {

std::uint64_t number_of(const std::string& name) {
  std::uint64_t sum = 0;
  for (const char letter : name) sum = sum * 131 + static_cast<unsigned char>(letter);
  return sum;
}

double scalar_for(char kind, bool exact, Random& random) {
  if (kind == 'w') return random.between(1, 12);
  const double powers[] = {1, -1, 0.5, 2, -0.25, 0};
  if (exact || random.chance(40)) return powers[random.below(6)];
  return random.between(-40, 40) / 9.0;
}

double element_for(char kind, const Recipe& recipe, Random& random) {
  switch (kind) {
    case 'i': return random.between(-9, 9);
    case 't': return random.below(static_cast<int>(recipe.extents.at("g")));
    case 'c': return random.between(0, 3);
    case 'l': return random.between(0, static_cast<int>(recipe.extents.at("n")) + 2);
    case 'o': return -7;
    case 'y': return std::vector<double>{0.5, 1, 2, 4}[static_cast<std::size_t>(random.below(4))];
    default: return recipe.exact ? random.between(-4, 4) / 2.0 : random.between(-64, 64) / 32.0;
  }
}

}  // namespace

ir::Inputs random_inputs(const ir::Kernel& kernel, const Recipe& recipe, std::uint64_t seed) {
  ir::Inputs inputs;
  for (const Argument& argument : kernel.arguments) {
    Random random(mixed(seed, number_of(argument.name)));
    const char kind = argument.name[0];
    if (argument.kind == Argument::Kind::scalar) {
      inputs.scalars[argument.name] = scalar_for(kind, recipe.exact, random);
      continue;
    }
    std::vector<std::int64_t> shape;
    std::int64_t count = 1;
    for (const std::string& dim : argument.dims) {
      shape.push_back(extent_of(dim, recipe));
      count *= shape.back();
    }
    // The tensor that gives every dimension its extent is never read: all its strides are 0.
    const bool extents_only = argument.name == "x0";
    ir::HostTensor tensor =
        ir::HostTensor::zeros(argument.dtype, extents_only ? std::vector<std::int64_t>{1} : shape);
    if (extents_only) {
      tensor.shape = shape;
      tensor.strides.assign(shape.size(), 0);
      count = 0;
    }
    if (!fill_list(argument, recipe, random, tensor))
      for (std::int64_t i = 0; i < count; ++i) tensor.set(i, element_for(kind, recipe, random));
    inputs.tensors[argument.name] = std::move(tensor);
  }
  return inputs;
}

}  // namespace tilewright::test
