// emurun: runs one kernel of a PTX file on the emulator and prints its counters and faults.
//
// A tool for those who change the emulator or the generated code: no program around the kernel is
// needed, arguments come from the command line. Example, with n bytes read from and written to
// files:
//   emurun add.ptx --grid 4 --block 128 --arg buffer:512=a.bin --arg buffer:512 --arg i32:128
//          --out 1=sum.bin
// Exit status: 0 no fault, 1 the launch failed or faulted, 2 the request is wrong.
#include <cuda.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "emulator/emulator_api.h"

namespace {

struct Argument {
  std::vector<char> bytes;  ///< as the kernel gets them: a number or a device address
  CUdeviceptr buffer = 0;
  std::size_t buffer_bytes = 0;
};

void check(CUresult result, const std::string& what) {
  if (result == CUDA_SUCCESS) return;
  const char* name = nullptr;
  cuGetErrorName(result, &name);
  throw std::runtime_error(what + ": " + (name != nullptr ? name : "unknown result"));
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::invalid_argument("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

template <class Value>
std::vector<char> bytes_of(Value value) {
  std::vector<char> bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

/// A whole number between two bounds, or an error that names the text.
std::int64_t whole(const std::string& text, std::int64_t lowest, std::int64_t highest) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < lowest || value > highest)
    throw std::invalid_argument("'" + text + "' is not a whole number between " +
                                std::to_string(lowest) + " and " + std::to_string(highest));
  return value;
}

double number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') throw std::invalid_argument("'" + text + "' is no number");
  return value;
}

/// "buffer:512=file": device memory of so many bytes, the file's content at its start, else zero.
Argument read_buffer(const std::string& text) {
  const std::size_t equals = text.find('=');
  Argument argument;
  argument.buffer_bytes =
      static_cast<std::size_t>(whole(text.substr(0, equals), 1, std::int64_t{1} << 36));
  std::string content(equals == text.npos ? "" : read_file(text.substr(equals + 1)));
  if (content.size() > argument.buffer_bytes)
    throw std::invalid_argument("the file is larger than its buffer: " + text);
  content.resize(argument.buffer_bytes);
  check(cuMemAlloc(&argument.buffer, argument.buffer_bytes), "allocating " + text);
  check(cuMemcpyHtoD(argument.buffer, content.data(), content.size()), "filling " + text);
  argument.bytes = bytes_of(argument.buffer);
  return argument;
}

Argument read_argument(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string type = text.substr(0, colon);
  const std::string value = colon == text.npos ? "" : text.substr(colon + 1);
  if (type == "buffer") return read_buffer(value);
  if (type == "f32") return {bytes_of(static_cast<float>(number(value)))};
  if (type == "f64") return {bytes_of(number(value))};
  if (type == "i32")
    return {bytes_of(static_cast<std::int32_t>(whole(value, INT32_MIN, INT32_MAX)))};
  if (type == "u32") return {bytes_of(static_cast<std::uint32_t>(whole(value, 0, UINT32_MAX)))};
  if (type == "i64") return {bytes_of(whole(value, INT64_MIN, INT64_MAX))};
  throw std::invalid_argument("--arg '" + text +
                              "': allowed are f32: f64: i32: u32: i64: buffer:BYTES[=FILE]");
}

CUmodule load(const std::string& ptx) {
  std::vector<char> log(4096);
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void* values[] = {log.data(), reinterpret_cast<void*>(log.size())};
  CUmodule module = nullptr;
  const CUresult loaded = cuModuleLoadDataEx(&module, ptx.c_str(), 2, options, values);
  check(loaded, std::string("loading: ") + log.data());
  return module;
}

void write_buffer(const std::string& request, const std::vector<Argument>& arguments) {
  const std::size_t equals = request.find('=');
  const auto last = static_cast<std::int64_t>(arguments.size()) - 1;
  const auto index = static_cast<std::size_t>(whole(request.substr(0, equals), 0, last));
  if (equals == request.npos || arguments[index].buffer == 0)
    throw std::invalid_argument("--out '" + request + "': wants INDEX=FILE of a buffer argument");
  std::vector<char> content(arguments[index].buffer_bytes);
  check(cuMemcpyDtoH(content.data(), arguments[index].buffer, content.size()), "reading back");
  std::ofstream file(request.substr(equals + 1), std::ios::binary);
  if (!file.write(content.data(), static_cast<std::streamsize>(content.size())))
    throw std::invalid_argument("cannot write " + request.substr(equals + 1));
}

/// Prints what the emulator saw; true when it saw no fault.
bool print_report() {
  const auto counters = nlohmann::ordered_json::parse(tilewright_emulator_counters());
  for (const auto& [key, value] : counters.items()) std::cout << key << " " << value.dump() << "\n";
  for (const auto& note : nlohmann::json::parse(tilewright_emulator_notes()))
    std::cout << "note: " << note.get<std::string>() << "\n";
  const auto faults = nlohmann::json::parse(tilewright_emulator_faults());
  for (const auto& fault : faults)
    std::cout << "fault: " << fault["kind"].get<std::string>() << " block " << fault["block"]
              << " thread " << fault["thread"] << " ptx line " << fault["ptx_line"] << " cuda line "
              << fault["cuda_line"] << ": " << fault["message"].get<std::string>() << "\n";
  return faults.empty();
}

}  // namespace

int main(int count, char** words) {
  CLI::App app{"Runs one kernel of a PTX file on Tilewright's emulator."};
  std::string path, kernel;
  std::vector<unsigned> grid{1}, block{32};
  unsigned shared = 0;
  int device = 0;
  std::vector<std::string> arguments, outputs, settings;
  app.add_option("file", path, "PTX text")->required();
  app.add_option("--kernel", kernel, "its name")->required();
  app.add_option("--grid", grid, "blocks: x,y,z")->delimiter(',')->expected(1, 3);
  app.add_option("--block", block, "threads: x,y,z")->delimiter(',')->expected(1, 3);
  app.add_option("--shared", shared, "bytes of dynamic shared memory");
  app.add_option("--device", device, "0: sm_80, 1: sm_90a");
  app.add_option("--arg", arguments, "f32:V f64:V i32:V u32:V i64:V buffer:BYTES[=FILE], in order");
  app.add_option("--out", outputs, "INDEX=FILE: write a buffer argument after the launch");
  app.add_option("--set", settings, "KEY=VALUE as for tilewright_emulator_configure");
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    for (const std::string& setting : settings) {
      const std::size_t equals = std::min(setting.find('='), setting.size());
      const std::string value = setting.substr(std::min(equals + 1, setting.size()));
      if (tilewright_emulator_configure(setting.substr(0, equals).c_str(), value.c_str()) != 0)
        throw std::invalid_argument("--set '" + setting + "' is not an option and a value of it");
    }
    CUcontext context = nullptr;
    CUfunction function = nullptr;
    check(cuInit(0), "cuInit");
    check(cuDevicePrimaryCtxRetain(&context, device), "--device");
    check(cuCtxSetCurrent(context), "the context");
    check(cuModuleGetFunction(&function, load(read_file(path)), kernel.c_str()), kernel);
    if (shared > 48 * 1024)
      check(cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
                               static_cast<int>(shared)),
            "--shared");
    std::vector<Argument> given;
    for (const std::string& argument : arguments) given.push_back(read_argument(argument));
    std::vector<void*> pointers;
    for (Argument& argument : given) {
      argument.bytes.resize(64);  // the driver reads as many bytes as the kernel declares
      pointers.push_back(argument.bytes.data());
    }
    grid.resize(3, 1);
    block.resize(3, 1);
    std::size_t wanted = 0, offset = 0;
    while (cuFuncGetParamInfo(function, wanted, &offset, nullptr) == CUDA_SUCCESS) ++wanted;
    if (wanted != given.size())
      throw std::invalid_argument("the kernel takes " + std::to_string(wanted) + " --arg");
    check(cuLaunchKernel(function, grid[0], grid[1], grid[2], block[0], block[1], block[2], shared,
                         nullptr, pointers.data(), nullptr),
          "launching");
    const bool clean = print_report();
    check(cuCtxSynchronize(), "the kernel");
    for (const std::string& output : outputs) write_buffer(output, given);
    return clean ? 0 : 1;
  } catch (const std::runtime_error& failure) {  // the driver's; the others are the caller's
    std::cerr << "emurun: " << failure.what() << "\n";
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "emurun: " << error.what() << "\n";
    return 2;
  }
}
