// Double precision: the four operations, square roots, reciprocals, remainders, and functions of
// CUDA's device library, which are long stretches of f64 and 64-bit integer code.
// Oracle: the host's libm within a few units in the last place, in corpus_doubles.cpp.
extern "C" __global__ void arithmetic(const double* a, const double* b, double* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  double* mine = out + 10 * i;
  mine[0] = a[i] + b[i];
  mine[1] = a[i] * b[i] - a[i];
  mine[2] = a[i] / b[i];
  mine[3] = sqrt(fabs(a[i]));
  mine[4] = 1.0 / b[i];
  mine[5] = fma(a[i], b[i], 0.125);
  mine[6] = fmod(a[i], b[i]);
  mine[7] = __dmul_rz(a[i], b[i]);
  mine[8] = (double)(long long)a[i] + (double)(unsigned)fabs(b[i]) + (double)(float)a[i];
  mine[9] = fmin(a[i], b[i]) + fmax(rint(a[i]), floor(b[i])) + copysign(trunc(a[i]), b[i]);
}

extern "C" __global__ void functions(const double* a, double* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  double* mine = out + 10 * i;
  mine[0] = exp(a[i]);
  mine[1] = log(fabs(a[i]) + 1e-3);
  mine[2] = sin(a[i]);
  mine[3] = cos(a[i]);
  mine[4] = tanh(a[i]);
  mine[5] = pow(fabs(a[i]) + 0.5, 1.7);
  mine[6] = rsqrt(fabs(a[i]) + 0.25);
  mine[7] = erf(a[i]);
  mine[8] = exp2(a[i]);
  mine[9] = atan2(a[i], 2.0);
}

extern "C" __global__ void single_functions(const float* a, float* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  float* mine = out + 10 * i;
  mine[0] = expf(a[i]);
  mine[1] = logf(fabsf(a[i]) + 1e-3f);
  mine[2] = sinf(a[i]);
  mine[3] = tanhf(a[i]);
  mine[4] = powf(fabsf(a[i]) + 0.5f, 1.7f);
  mine[5] = a[i] / (fabsf(a[i]) + 0.1f);
  mine[6] = sqrtf(fabsf(a[i]));
  mine[7] = erff(a[i]);
  mine[8] = cbrtf(a[i]);
  mine[9] = fmodf(a[i], 0.7f);
}
