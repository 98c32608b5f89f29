"""Makes ../ptx/triton_*.ptx from kernels.py, with Triton (3.x, no GPU needed). Tests do not run this.

Prints, per kernel, what a launch needs: threads and bytes of shared memory, which the tests hold.
"""

import pathlib
import re

import kernels
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

HERE = pathlib.Path(__file__).parent
ALIGNED = [["tt.divisibility", 16]]


def make(name, function, signature, constants, warps, stages, aligned):
    names = function.arg_names
    signature = {n: "constexpr" if n in constants else signature[n] for n in names}
    attributes = {(names.index(n),): ALIGNED for n in aligned}
    source = ASTSource(fn=function, signature=signature,
                       constexprs={(names.index(n),): v for n, v in constants.items()},
                       attrs=attributes)
    made = triton.compile(source, target=GPUTarget("cuda", 80, 32),
                          options={"num_warps": warps, "num_stages": stages})
    text = re.sub(r'(\.file\s+\d+\s+")[^"]*/', r"\1", made.asm["ptx"])
    text = re.sub(r'"/[^"]*"', '""', text)
    text = re.split(r"\n\t?\.section\s+\.debug_", text)[0] + "\n"
    (HERE / ".." / "ptx" / f"triton_{name}.ptx").write_text(text)
    print(name, made.metadata.name, "threads", 32 * made.metadata.num_warps, "shared",
          made.metadata.shared)


def main():
    for short, element in (("f16", "*fp16"), ("bf16", "*bf16")):
        make(f"softmax_{short}", kernels.row_softmax,
             {"x": element, "y": element, "columns": "i32", "x_stride": "i32", "y_stride": "i32"},
             {"BLOCK": 512}, 4, 2, ["x", "y"])
        make(f"matmul_{short}", kernels.matmul,
             {"a": element, "b": element, "c": element, "m": "i32", "n": "i32", "k": "i32",
              "a_stride": "i32", "b_stride": "i32", "c_stride": "i32"},
             {"BLOCK_M": 64, "BLOCK_N": 64, "BLOCK_K": 32, "GROUP": 4}, 4, 3,
             ["a", "b", "c", "n", "k", "a_stride", "b_stride", "c_stride"])
        for causal in (False, True):
            make(f"attention_{short}" + ("_causal" if causal else ""), kernels.attention,
                 {"q": element, "k": element, "v": element, "out": element, "lse": "*fp32",
                  "scale": "fp32", "queries": "i32", "keys": "i32"},
                 {"BLOCK_M": 64, "BLOCK_N": 32, "HEAD": 64, "CAUSAL": causal}, 4, 3,
                 ["q", "k", "v", "out", "lse"])
    make("layer_norm", kernels.layer_norm,
         {"x": "*fp32", "weight": "*fp32", "y": "*fp32", "columns": "i32", "epsilon": "fp32"},
         {"BLOCK": 256}, 4, 2, ["x", "weight", "y"])


if __name__ == "__main__":
    main()
