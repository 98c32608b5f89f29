/* What libtilewright_emulator.so offers beyond the CUDA Driver API: settings, counters and faults.
 *
 * The library is a CUDA driver with two devices, ordinal 0 sm_80 and ordinal 1 sm_90a. It exports
 * the Driver API's functions (cuInit, cuMemAlloc_v2, ...) with NVIDIA's signatures and result codes
 * and the functions below; a driver without them is a real one. No environment variable is read.
 *
 * What differs from hardware, by design:
 * - Work is done when it is asked for: cuLaunchKernel, copies and memsets return when they are
 *   done, so every stream is always idle. A kernel's failure still surfaces at the next call that
 *   uses the context, as on hardware, and stays until the context is gone or
 *   tilewright_emulator_reset().
 * - Out of bounds, misaligned, trap, a failed assertion, deadlock and step limit fail the context. What only a detector
 *   sees (data_race, missing_wait, uninitialized_read, divergent_barrier) fails no call: ask
 *   tilewright_emulator_faults().
 * - cuEventElapsedTime gives host time spent emulating. It says nothing about a GPU.
 * - Modules are PTX text. Machine code (cubin, fatbin) gives CUDA_ERROR_NO_BINARY_FOR_GPU.
 * - Registers are unknown (ptxas decides them), so occupancy counts threads and shared memory only.
 * - Managed memory is device memory that host code may touch too; all of it counts as initialised.
 * - Blocks of a grid run a few at a time and give way to each other where one may wait for another.
 * - Clusters, graphs, arrays, peer access and mapped host memory are refused, never ignored.
 *
 * All functions may be called from any thread. Settings and sums are those of the whole process.
 */
#ifndef TILEWRIGHT_EMULATOR_API_H
#define TILEWRIGHT_EMULATOR_API_H

#define TILEWRIGHT_EMULATOR_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* Sets one option for the launches that follow.
 *
 *   key            value                        default
 *   "detectors"    "on" | "off"                 on      races, missing waits, uninitialised reads
 *   "counters"     "on" | "off"                 on
 *   "async"        "lazy" | "eager"             lazy    when an asynchronous copy takes effect
 *   "threads"      "0" ... "1024"               0       host threads; 0: all cores
 *   "step_limit"   "0" ... "18446744073709551615" 0     warp instructions per block; 0: none
 *   "uninitialized" "fault" | "note"            fault   what reading unwritten memory is
 *   "max_faults"   "1" ... "65536"              16      a launch stops after so many
 *
 * "1", "true" and "0", "false" also stand for on and off.
 * Returns 0; 1 for an unknown key or a null; 2 for a value the key does not take. Nonzero changes
 * nothing. */
TILEWRIGHT_EMULATOR_EXPORT int tilewright_emulator_configure(const char* key, const char* value);

/* A JSON object, summed over the launches since the last reset:
 * {"launches", "warp_instructions", "global_bytes", "global_load_bytes", "global_store_bytes",
 *  "global_load_sectors", "global_store_sectors", "shared_accesses", "shared_wavefronts",
 *  "shared_conflicts", "tensor_ops", "barriers", "pipes": {"tensor", "mufu", "fma", "alu",
 *  "shared", "global", "control", "sync"}, "faults_dropped", "notes_dropped"}.
 * Sectors are 32 bytes; tensor_ops are floating-point operations. The text, here and below, is
 * valid until the same function is called again on the same thread, and is never null. */
TILEWRIGHT_EMULATOR_EXPORT const char* tilewright_emulator_counters(void);

/* A JSON array of the faults since the last reset, oldest first, at most 4096 (counters tell how
 * many more there were): [{"kind", "kernel", "block": [x, y, z], "thread": [x, y, z], "ptx_line",
 * "cuda_line", "message"}]. "kind" is one of data_race, missing_wait, out_of_bounds,
 * uninitialized_read, misaligned, divergent_barrier, deadlock, trap, assertion, step_limit. "cuda_line" is the
 * line in the text NVRTC was given (0: unknown; compile with --generate-line-info). */
TILEWRIGHT_EMULATOR_EXPORT const char* tilewright_emulator_faults(void);

/* A JSON array of sentences: what was seen and is no fault (at most 4096). */
TILEWRIGHT_EMULATOR_EXPORT const char* tilewright_emulator_notes(void);

/* Forgets counters, faults and notes, and takes the failure off every context: what restarting the
 * process is on hardware. Options, memory, modules and streams stay. */
TILEWRIGHT_EMULATOR_EXPORT void tilewright_emulator_reset(void);

#ifdef __cplusplus
}
#endif

#endif
