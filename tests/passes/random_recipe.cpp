// What a random program is made of, from its number alone (random_program.hpp).
#include <utility>

#include "random_program.hpp"

namespace tilewright::test {

std::uint64_t mixed(std::uint64_t seed, std::uint64_t with) {  // splitmix64
  std::uint64_t z = seed + 0x9e3779b97f4a7c15u * (with + 1);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

Recipe::Recipe(std::uint64_t seed) {
  Random random(mixed(seed, 1));
  const std::vector<std::int64_t> lengths = {1, 15, 16, 17, 65};
  for (const char* dim : {"m", "n", "p", "d", "e"}) extents[dim] = random.of(lengths);
  for (const char* dim : {"n", "p"})
    if (random.chance(4)) extents[dim] = 0;
  for (const char* dim : {"d", "e"})  // whole tiles: long ones are dear, and tell nothing new
    if (extents[dim] == 65 && random.chance(60)) extents[dim] = 17;
  extents["b"] = random.between(1, 3);
  extents["g"] = (extents["b"] + 1) / 2;
  half = random.chance(50) ? DType::bf16 : DType::f16;
  exact = random.chance(70);
  has_batch = random.chance(70);
  has_rows = random.chance(88);
  products = random.chance(60);
  wild = random.chance(25);
  requested_tile = random.chance(15) ? 16 : 0;
  statements = random.between(4, 9);
  shapes = mixed(seed, 11) % 3 == 0;
}

std::map<std::string, std::int64_t> Recipe::bound() const {
  std::map<std::string, std::int64_t> whole;
  for (const char* dim : {"d", "e"}) whole[dim] = extents.at(dim);
  if (!has_rows) whole["m"] = extents.at("m");
  return whole;
}

RandomProgram::RandomProgram(std::uint64_t seed, std::set<std::uint64_t> skip)
    : KernelSource("random_" + std::to_string(seed), {}),
      seed_(seed),
      recipe_(seed),
      skip_(std::move(skip)) {}

void RandomProgram::trace(Gate& gate) const {
  statements_.clear();
  Writer(gate, recipe_, mixed(seed_, 2), skip_, statements_).program();
}

}  // namespace tilewright::test
