// Functions that are really called: parameters and results of several sizes, records by value,
// pointers to the caller's local memory, calls inside divergent branches and loops, a function that
// calls others, one that synchronises the block, and calls through a pointer.
// Oracle: the same functions on the host, in corpus_calls.cpp.
struct Pair {
  double high;
  int low;
};

__device__ __noinline__ int weigh(int x, short y, unsigned char z) { return x * 3 + y - z; }

__device__ __noinline__ Pair split(double x) {
  Pair made;
  made.low = (int)x;
  made.high = x - made.low;
  return made;
}

__device__ __noinline__ double join(Pair pair, float scale) {
  if (pair.low < 0) return -pair.high;
  return pair.high * scale + pair.low;
}

__device__ __noinline__ void fill(int* values, int count, int seed) {
  for (int i = 0; i < count; ++i) values[i] = weigh(seed, (short)i, (unsigned char)(seed + i));
}

__device__ __noinline__ int collatz(unsigned x) {
  int steps = 0;
  while (x != 1 && steps < 200) {
    if (x % 2 == 0) {
      x /= 2;
    } else {
      x = 3 * x + 1;
    }
    ++steps;
  }
  return steps;
}

extern "C" __global__ void calls(const int* x, double* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  double result = weigh(x[i], (short)i, (unsigned char)x[i]);
  if (x[i] % 2 == 0) {
    result += join(split(x[i] * 0.37), 2.0f);
  } else {
    int values[9];
    fill(values, 9, x[i]);
    for (int k = 0; k < 9; ++k) result += values[(k * 5 + i) % 9] * (k + 1);
  }
  for (int k = 0; k < i % 4; ++k) result += collatz((unsigned)(x[i] & 1023) + k + 1);
  out[i] = result;
}

__device__ __noinline__ float neighbour(float* shared, float value) {
  shared[threadIdx.x] = value;
  __syncthreads();
  const float result = shared[(threadIdx.x + 1) % blockDim.x];
  __syncthreads();
  return result;
}

extern "C" __global__ void calls_barrier(const float* x, float* out) {
  __shared__ float buffer[128];
  float value = x[threadIdx.x];
  for (int k = 0; k < 3; ++k) value += neighbour(buffer, value);
  out[threadIdx.x] = value;
}

typedef int (*Operation)(int, int);
__device__ int add_of(int a, int b) { return a + b; }
__device__ int subtract_of(int a, int b) { return a - b; }
__device__ int multiply_of(int a, int b) { return a * b; }
__device__ Operation table[3] = {add_of, subtract_of, multiply_of};

extern "C" __global__ void calls_pointer(const int* x, int* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) out[i] = table[(unsigned)x[i] % 3u](x[i], i);
}
