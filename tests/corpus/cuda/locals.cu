// Local memory: arrays indexed by what is known only at run time, sorted in place, records with
// members of several sizes, and pointers into them.
// Oracle: the same on the host, in corpus_locals.cpp.
extern "C" __global__ void sort_rows(const int* x, int* out, int rows) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= rows) return;
  int values[24];
  for (int i = 0; i < 24; ++i) values[i] = x[row * 24 + i];
  for (int i = 1; i < 24; ++i) {
    const int value = values[i];
    int at = i;
    for (; at > 0 && values[at - 1] > value; --at) values[at] = values[at - 1];
    values[at] = value;
  }
  for (int i = 0; i < 24; ++i) out[row * 24 + i] = values[i];
}

struct Record {
  double weight;
  short tag;
  unsigned char bytes[6];
};

extern "C" __global__ void records(const int* x, double* out, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n) return;
  Record all[5];
  for (int k = 0; k < 5; ++k) {
    all[k].weight = x[i] * 0.5 + k;
    all[k].tag = (short)(x[i] - k);
    for (int b = 0; b < 6; ++b) all[k].bytes[b] = (unsigned char)(x[i] >> b);
  }
  const int chosen = (unsigned)x[i] % 5u, byte = (unsigned)x[i] % 6u;
  Record* record = &all[chosen];
  record->bytes[byte] += 1;
  unsigned char* raw = (unsigned char*)record;
  out[i] = record->weight + record->tag + raw[10 + byte] + all[(chosen + 1) % 5].bytes[byte];
}
