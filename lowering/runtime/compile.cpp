// Key, cache, NVRTC, dump and log, in that order.
// A dump is written whether the image was cached or not: who asks for the text wants it either way.
#include "runtime/compile.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <tilewright/error.hpp>

#include "runtime/atomic_file.hpp"
#include "runtime/cache.hpp"
#include "runtime/digest.hpp"
#include "runtime/environment.hpp"
#include "runtime/errors.hpp"
#include "runtime/log.hpp"
#include "runtime/nvrtc.hpp"
#include "runtime/nvrtc_identity.hpp"

#ifndef TILEWRIGHT_VERSION
#error "TILEWRIGHT_VERSION is part of the cache key: the build has to define it"
#endif

namespace tilewright::runtime {
namespace {

constexpr const char* key_format = "tilewright image 1";

void check_architecture(const std::string& architecture) {
  const auto digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  const bool shaped = architecture.rfind("sm_", 0) == 0 && architecture.size() >= 5 &&
                      architecture.size() <= 7 &&
                      std::all_of(architecture.begin() + 3, architecture.end() - 1, digit) &&
                      (digit(architecture.back()) || architecture.back() == 'a');
  if (!shaped)
    throw Error(errors::runtime["architecture-malformed"], "not an architecture",
                {"architecture", architecture, "sm_80, sm_86, sm_89, sm_90a, sm_120", ""});
}

/// The label's kernel name counts too: line tables carry the file name made from it.
std::string cache_key(const std::string& text, const EntryLabel& label,
                      const std::vector<std::string>& options, const std::string& identity) {
  Digest digest;
  digest.add(key_format).add(TILEWRIGHT_VERSION).add(without_comments(text));
  digest.add(label.kernel).add(label.architecture).add(name(label.kind)).add(identity);
  for (const std::string& option : options) digest.add(option);
  return digest.hex();
}

/// The kernel's name as a file name: anything a shell or file system may dislike becomes '_'.
std::string file_stem(std::string name) {
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-') c = '_';
  return name.empty() ? "kernel" : name.substr(0, 200);
}

void dump(const std::string& name, const std::string& cuda_text, const CompiledImage& image) {
  const auto folder = environment::dump_directory();
  if (folder.empty()) return;
  const std::string stem = file_stem(name);
  const char* extension = image.kind == ImageKind::ptx ? ".ptx" : ".cubin";
  auto failure = write_atomically(folder / (stem + ".cu"), cuda_text);
  if (!failure) failure = write_atomically(folder / (stem + extension), image.bytes);
  if (failure)
    warn_once("dump:" + folder.string(), "TILEWRIGHT_DUMP_DIR cannot be written: " + *failure);
}

void report(const std::string& name, const CompiledImage& image) {
  char time[32];
  std::snprintf(time, sizeof time, "%.1f ms", image.seconds * 1e3);
  const std::string what = name + " for " + image.architecture + " (" + runtime::name(image.kind) +
                           ", " + std::to_string(image.bytes.size()) + " bytes) in " + time;
  if (image.from_cache)
    log_debug("from the cache: " + what);
  else
    log_info("compiled " + what);
}

}  // namespace

ImageTarget ImageTarget::of(const Device& device) {
  return {device.architecture(), device.is_emulator() ? ImageKind::ptx : ImageKind::cubin};
}

ImageTarget ImageTarget::named(const std::string& name) {
  if (name == "emulator:sm_80") return {"sm_80", ImageKind::ptx};
  if (name == "emulator:sm_90a") return {"sm_90a", ImageKind::ptx};
  if (name.rfind("sm_", 0) != 0) return of(Device::open(name));
  check_architecture(name);
  return {architecture_name(std::stoi(name.substr(3))), ImageKind::cubin};
}

std::vector<std::string> nvrtc_options(const CompileOptions& options) {
  std::vector<std::string> all{"--std=c++17", "--generate-line-info"};
  all.insert(all.end(), options.extra.begin(), options.extra.end());
  return all;
}

CompiledImage compile_image(const std::string& cuda_text, const std::string& name,
                            const std::string& architecture, ImageKind kind,
                            const CompileOptions& options) {
  check_architecture(architecture);
  const auto start = std::chrono::steady_clock::now();
  const Cache cache = Cache::from_environment();
  const auto all_options = nvrtc_options(options);
  const EntryLabel label{name, architecture, kind};
  const std::string key = cache_key(cuda_text, label, all_options, nvrtc_identity(cache.root()));
  CompiledImage image = cache.obtain(key, label, [&] {
    return Nvrtc::load()->compile(cuda_text, file_stem(name), architecture, kind, all_options,
                                  options.origins);
  });
  image.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  dump(name, cuda_text, image);
  report(name, image);
  return image;
}

CompiledKernel compile_kernel(const Device& device, const std::string& cuda_text,
                              const std::string& name, const CompileOptions& options) {
  const ImageTarget target = ImageTarget::of(device);
  CompiledImage image = compile_image(cuda_text, name, target.architecture, target.kind, options);
  const Module module = Module::load(device, image);
  return {module.function(name), std::move(image)};
}

}  // namespace tilewright::runtime
