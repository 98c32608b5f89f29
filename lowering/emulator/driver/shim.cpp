// emulator/libcuda.so.1: the driver's name for the emulator.
//
// There is no code: the library depends on libtilewright_emulator.so in the folder above, and both
// the dynamic linker and dlsym look for symbols in a library's dependencies. With this folder in
// LD_LIBRARY_PATH any Driver API program runs on the emulator.
