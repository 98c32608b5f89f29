// 64-bit integers and bit tricks: division, remainder, high products, shifts by variable amounts,
// counting bits, funnel shifts, byte permutation, packed dot products, saturating and packed sums.
// Oracle: the same in host arithmetic, in corpus_integers.cpp.
typedef long long s64;
typedef unsigned long long u64;

extern "C" __global__ void wide(const s64* a, const s64* b, u64* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  u64* mine = out + 12 * i;
  const s64 x = a[i], y = b[i];
  const u64 ux = x, uy = y;
  const int shift = (int)(uy & 63);
  mine[0] = y != 0 && !(y == -1) ? x / y : 0;
  mine[1] = y != 0 && !(y == -1) ? x % y : 0;
  mine[2] = uy != 0 ? ux / uy : 0;
  mine[3] = uy != 0 ? ux % uy : 0;
  mine[4] = __mul64hi(x, y);
  mine[5] = __umul64hi(ux, uy);
  mine[6] = ux << shift;
  mine[7] = ux >> shift;
  mine[8] = x >> shift;
  mine[9] = __clzll(x) | __popcll(x) << 8 | __ffsll(x) << 16;
  mine[10] = __brevll(ux);
  mine[11] = x > y ? x * y + 7 : min(x, -y) ^ max(ux, uy);
}

extern "C" __global__ void narrow(const int* a, const int* b, unsigned* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  unsigned* mine = out + 16 * i;
  const int x = a[i], y = b[i];
  const unsigned ux = x, uy = y;
  mine[0] = y != 0 && y != -1 ? x / y : 1;
  mine[1] = uy != 0 ? ux % uy : 1;
  mine[2] = __mulhi(x, y);
  mine[3] = __umulhi(ux, uy);
  mine[4] = __funnelshift_l(ux, uy, uy & 31);
  mine[5] = __funnelshift_rc(ux, uy, uy & 63);
  mine[6] = __byte_perm(ux, uy, ux & 0x7777);
  mine[7] = __dp4a(x, y, 3);
  mine[8] = __dp4a(ux, uy, 3u);
  mine[9] = __dp2a_lo(x, y, 5) + __dp2a_hi(ux, uy, 5u);
  mine[10] = __sad(x, y, 9u) + __usad(ux, uy, 9u);
  mine[11] = __mul24(x, y) + __umul24(ux, uy);
  mine[12] = __clz(x) | __popc(ux) << 8 | __ffs(x) << 16;
  mine[13] = __brev(ux) ^ ((ux >> 3) & 0x1ff) ^ (uy << 5 | (ux & 31));
  mine[14] = __vadd4(ux, uy) + __vabsdiffu4(ux, uy) + __hadd(x, y) + __rhadd(x, y);
  mine[15] = (signed char)x * (short)y + (unsigned char)(x >> 8);
}
