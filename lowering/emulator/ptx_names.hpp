// Every PTX word the emulator knows, once: opcodes, modifiers, types and special registers.
// A word that is not in these lists is refused when the text is read. ptx_names.cpp turns words
// into these values; what an opcode does with them is decided in decode*.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tilewright::emulator {

// X(opcode, first operand is written)
// clang-format off
#define TILEWRIGHT_PTX_OPCODES(X) \
  X(abs, 1) X(activemask, 1) X(add, 1) X(addc, 1) X(applypriority, 0) X(atom, 1) X(bar, 0) \
  X(barrier, 0) X(bfe, 1) X(bfi, 1) X(bfind, 1) X(bmsk, 1) X(bra, 0) X(brev, 1) X(brkpt, 0) \
  X(brx, 0) X(call, 0) X(clz, 1) X(cnot, 1) X(copysign, 1) X(cos, 1) X(cp, 0) \
  X(createpolicy, 1) X(cvt, 1) X(cvta, 1) X(discard, 0) X(div, 1) X(dp2a, 1) X(dp4a, 1) \
  X(elect, 1) X(ex2, 1) X(exit, 0) X(fence, 0) X(fma, 1) X(fns, 1) X(griddepcontrol, 0) \
  X(isspacep, 1) X(ld, 1) X(ldmatrix, 1) X(ldu, 1) X(lg2, 1) X(lop3, 1) X(mad, 1) X(mad24, 1) \
  X(madc, 1) X(match, 1) X(max, 1) X(mbarrier, 1) X(membar, 0) X(min, 1) X(mma, 1) X(mov, 1) X(movmatrix, 1) \
  X(mul, 1) X(mul24, 1) X(nanosleep, 0) X(neg, 1) X(not_, 1) X(and_, 1) X(or_, 1) X(xor_, 1) \
  X(pmevent, 0) X(popc, 1) X(prefetch, 0) X(prefetchu, 0) X(prmt, 1) X(rcp, 1) X(red, 0) \
  X(redux, 1) X(rem, 1) X(ret, 0) X(rsqrt, 1) X(sad, 1) X(selp, 1) X(set, 1) X(setp, 1) \
  X(shf, 1) X(shfl, 1) X(shl, 1) X(shr, 1) X(sin, 1) X(slct, 1) X(sqrt, 1) X(st, 0) \
  X(stmatrix, 0) X(sub, 1) X(subc, 1) X(szext, 1) X(tanh, 1) X(testp, 1) X(trap, 0) \
  X(vabsdiff2, 1) X(vabsdiff4, 1) X(vadd2, 1) X(vadd4, 1) X(vavrg2, 1) X(vavrg4, 1) \
  X(vmax2, 1) X(vmax4, 1) X(vmin2, 1) X(vmin4, 1) X(vote, 1) X(vsub2, 1) X(vsub4, 1)
// clang-format on

enum class Opcode : std::uint8_t {
#define X(name, writes) name,
  TILEWRIGHT_PTX_OPCODES(X)
#undef X
};

// X(enumerator, spelling)
// clang-format off
#define TILEWRIGHT_PTX_MODIFIERS(X) \
  X(rn, "rn") X(rz, "rz") X(rm, "rm") X(rp, "rp") X(rna, "rna") X(rni, "rni") X(rzi, "rzi") \
  X(rmi, "rmi") X(rpi, "rpi") X(ftz, "ftz") X(sat, "sat") X(satfinite, "satfinite") \
  X(relu, "relu") X(noftz, "noftz") X(approx, "approx") X(full, "full") X(nan, "NaN") \
  X(xorsign, "xorsign") X(abs, "abs") X(lo, "lo") X(hi, "hi") X(wide, "wide") X(cc, "cc") \
  X(l, "l") X(r, "r") X(wrap, "wrap") X(clamp, "clamp") X(shiftamt, "shiftamt") X(f4e, "f4e") \
  X(b4e, "b4e") X(rc8, "rc8") X(ecl, "ecl") X(ecr, "ecr") X(rc16, "rc16") X(eq, "eq") \
  X(ne, "ne") X(lt, "lt") X(le, "le") X(gt, "gt") X(ge, "ge") X(ls, "ls") X(hs, "hs") \
  X(equ, "equ") X(neu, "neu") X(ltu, "ltu") X(leu, "leu") X(gtu, "gtu") X(geu, "geu") \
  X(num, "num") X(is_nan, "nan") X(and_, "and") X(or_, "or") X(xor_, "xor") X(popc, "popc") \
  X(finite, "finite") X(infinite, "infinite") X(number, "number") X(notanumber, "notanumber") \
  X(normal, "normal") X(subnormal, "subnormal") X(to, "to") X(global, "global") \
  X(shared, "shared") X(shared_cta, "shared::cta") X(local, "local") X(param, "param") \
  X(param_entry, "param::entry") X(param_func, "param::func") X(const_, "const") X(v2, "v2") X(v4, "v4") X(ca, "ca") \
  X(cg, "cg") X(cs, "cs") X(lu, "lu") X(cv, "cv") X(wb, "wb") X(wt, "wt") X(nc, "nc") \
  X(volatile_, "volatile") X(weak, "weak") X(relaxed, "relaxed") X(acquire, "acquire") \
  X(release, "release") X(acq_rel, "acq_rel") X(sc, "sc") X(mmio, "mmio") X(cta, "cta") \
  X(gpu, "gpu") X(gl, "gl") X(sys, "sys") X(cluster, "cluster") X(unified, "unified") \
  X(l1_evict_normal, "L1::evict_normal") X(l1_evict_unchanged, "L1::evict_unchanged") \
  X(l1_evict_first, "L1::evict_first") X(l1_evict_last, "L1::evict_last") \
  X(l1_no_allocate, "L1::no_allocate") X(l2_cache_hint, "L2::cache_hint") X(l2_64, "L2::64B") \
  X(l2_128, "L2::128B") X(l2_256, "L2::256B") X(l2_evict_last, "L2::evict_last") \
  X(l2_evict_normal, "L2::evict_normal") X(l2_evict_first, "L2::evict_first") \
  X(l2_evict_unchanged, "L2::evict_unchanged") X(level_l1, "L1") X(level_l2, "L2") \
  X(fractional, "fractional") X(add, "add") X(min, "min") X(max, "max") X(inc, "inc") \
  X(dec, "dec") X(exch, "exch") X(cas, "cas") X(sync, "sync") X(aligned, "aligned") \
  X(arrive, "arrive") X(red, "red") X(warp, "warp") X(up, "up") X(down, "down") X(bfly, "bfly") \
  X(idx, "idx") X(ballot, "ballot") X(any, "any") X(all, "all") X(uni, "uni") X(m8n8, "m8n8") \
  X(x1, "x1") X(x2, "x2") X(x4, "x4") X(trans, "trans") X(m16n8k8, "m16n8k8") \
  X(m16n8k16, "m16n8k16") X(m16n8k32, "m16n8k32") X(m16n8k4, "m16n8k4") \
  X(m16n8k64, "m16n8k64") X(m16n8k128, "m16n8k128") X(m16n8k256, "m16n8k256") \
  X(m8n8k4, "m8n8k4") X(m8n8k16, "m8n8k16") X(m8n8k32, "m8n8k32") X(m8n8k128, "m8n8k128") \
  X(pack, "pack") X(range, "range") X(cvt, "cvt") X(row, "row") \
  X(col, "col") X(async, "async") X(commit_group, "commit_group") X(wait_group, "wait_group") \
  X(init, "init") X(inval, "inval") X(arrive_drop, "arrive_drop") \
  X(no_complete, "noComplete") X(test_wait, "test_wait") X(pending_count, "pending_count") \
  X(parity, "parity") X(wait_all, "wait_all") X(wait, "wait") X(launch_dependents, "launch_dependents")
// clang-format on

enum class Modifier : std::uint8_t {
#define X(name, text) name,
  TILEWRIGHT_PTX_MODIFIERS(X)
#undef X
      count
};

// X(enumerator, spelling, bytes)
// clang-format off
#define TILEWRIGHT_PTX_TYPES(X) \
  X(pred, "pred", 0) X(b1, "b1", 0) X(u2, "u2", 0) X(s2, "s2", 0) X(u4, "u4", 0) \
  X(s4, "s4", 0) X(b8, "b8", 1) X(b16, "b16", 2) X(b32, "b32", 4) X(b64, "b64", 8) \
  X(u8, "u8", 1) X(u16, "u16", 2) X(u32, "u32", 4) X(u64, "u64", 8) X(s8, "s8", 1) \
  X(s16, "s16", 2) X(s32, "s32", 4) X(s64, "s64", 8) X(f16, "f16", 2) X(f16x2, "f16x2", 4) \
  X(bf16, "bf16", 2) X(bf16x2, "bf16x2", 4) X(tf32, "tf32", 4) X(f32, "f32", 4) \
  X(f64, "f64", 8) X(e4m3, "e4m3", 1) X(e5m2, "e5m2", 1) X(e4m3x2, "e4m3x2", 2) \
  X(e5m2x2, "e5m2x2", 2)
// clang-format on

enum class Type : std::uint8_t {
  none,
#define X(name, text, bytes) name,
  TILEWRIGHT_PTX_TYPES(X)
#undef X
};

enum class Space : std::uint8_t { generic, global, shared, local, constant, parameter };

enum class SpecialRegister : std::uint8_t {
  tid_x,
  tid_y,
  tid_z,
  ntid_x,
  ntid_y,
  ntid_z,
  ctaid_x,
  ctaid_y,
  ctaid_z,
  nctaid_x,
  nctaid_y,
  nctaid_z,
  laneid,
  warpid,
  nwarpid,
  smid,
  nsmid,
  gridid,
  clock,
  clock_hi,
  clock64,
  globaltimer,
  globaltimer_lo,
  globaltimer_hi,
  lanemask_eq,
  lanemask_le,
  lanemask_lt,
  lanemask_ge,
  lanemask_gt,
  dynamic_smem_size,
  total_smem_size,
  warp_size,
  zero,
};

class ModifierSet {
 public:
  void insert(Modifier modifier) { words_[word(modifier)] |= bit(modifier); }
  bool has(Modifier modifier) const { return (words_[word(modifier)] & bit(modifier)) != 0; }
  /// A member that `allowed` lacks.
  std::optional<Modifier> outside(const ModifierSet& allowed) const;

 private:
  static unsigned word(Modifier modifier) { return static_cast<unsigned>(modifier) / 64; }
  static std::uint64_t bit(Modifier modifier) {
    return std::uint64_t{1} << (static_cast<unsigned>(modifier) % 64);
  }
  std::uint64_t words_[3] = {0, 0, 0};
};
static_assert(static_cast<unsigned>(Modifier::count) <= 192);

std::optional<Opcode> find_opcode(std::string_view word);
std::optional<Modifier> find_modifier(std::string_view word);
std::optional<Type> find_type(std::string_view word);
std::optional<SpecialRegister> find_special(std::string_view word);
std::string_view spelling(Modifier modifier);
bool writes_first_operand(Opcode opcode);
unsigned bytes_of(Type type);

inline bool is_signed(Type type) { return type >= Type::s8 && type <= Type::s64; }
inline bool is_half(Type type) { return type >= Type::f16 && type <= Type::bf16x2; }
inline bool is_real(Type type) { return type >= Type::f16; }

}  // namespace tilewright::emulator
