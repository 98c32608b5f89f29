// Task: ship a kernel without its compiler. Writes one attention for one architecture as CUDA to
// read, as machine code to load, as PTX, and the facts a launch needs; no GPU is asked for.
//
//   build/examples/tasks/dump_and_ship FOLDER sm_90
//
// What loads it again, by the CUDA Driver API alone, is launch_shipped.cpp: that program has
// nothing of Tilewright in it. In a terminal: tilewright dump flash --arch sm_90 --stage cubin -o
// F. The page for those who dump: ../dumping.md.
#include <filesystem>
#include <fstream>
#include <string>

#include "task.hpp"
using namespace task;

int main(int count, char** words) try {
  const std::string folder = count > 1 ? words[1] : "shipped",
                    arch = count > 2 ? words[2] : "sm_80";
  std::filesystem::create_directories(folder);
  const auto program = Attention{}.mask(causal()).program(arch, {.dtype = bf16, .head_dim = 64});

  bool ok = true;
  const auto write = [&](const std::string& name, const std::string& content) {
    std::ofstream file(folder + "/" + name, std::ios::binary);
    file << content;
    ok &= file.flush().good();
    std::printf("%7zu bytes  %s/%s\n", content.size(), folder.c_str(), name.c_str());
  };
  write("flash.cu", program.cuda_source());
  write("flash.cubin", program.cubin());
  write("flash.ptx", program.ptx());

  // The first line of flash.cu says the same in words.
  std::string launch = program.symbol() + " threads " + std::to_string(program.threads()) +
                       " shared " + std::to_string(program.shared_bytes()) + " rows_per_block " +
                       std::to_string(program.tile_q()) + "\n";
  for (const std::string& parameter : program.parameters()) launch += parameter + "\n";
  write("flash.launch", launch);
  std::printf("%s", launch.c_str());
  return ok ? 0 : 1;
} catch (const Error& error) {
  return failed(error);
}
