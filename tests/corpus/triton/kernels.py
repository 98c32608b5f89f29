"""Triton kernels of the corpus: their own source, from which remake.py makes PTX.

A forward pass of fused attention with an online softmax, a row softmax, a matrix product with
grouped program order, and a layer norm; the element type is whatever the pointers say.
"""

import triton
import triton.language as tl


@triton.jit
def row_softmax(x, y, columns, x_stride, y_stride, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    at = tl.arange(0, BLOCK)
    inside = at < columns
    values = tl.load(x + row * x_stride + at, mask=inside, other=-float("inf")).to(tl.float32)
    values = tl.exp(values - tl.max(values, axis=0))
    values = values / tl.sum(values, axis=0)
    tl.store(y + row * y_stride + at, values.to(y.dtype.element_ty), mask=inside)


@triton.jit
def layer_norm(x, weight, y, columns, epsilon, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    mean = 0.0
    square = 0.0
    for start in range(0, columns, BLOCK):
        at = start + tl.arange(0, BLOCK)
        values = tl.load(x + row * columns + at, mask=at < columns, other=0.0).to(tl.float32)
        mean += tl.sum(values, axis=0)
        square += tl.sum(values * values, axis=0)
    mean = mean / columns
    scale = 1.0 / tl.sqrt(square / columns - mean * mean + epsilon)
    for start in range(0, columns, BLOCK):
        at = start + tl.arange(0, BLOCK)
        inside = at < columns
        values = tl.load(x + row * columns + at, mask=inside, other=0.0).to(tl.float32)
        factor = tl.load(weight + at, mask=inside, other=0.0).to(tl.float32)
        result = (values - mean) * scale * factor
        tl.store(y + row * columns + at, result.to(y.dtype.element_ty), mask=inside)


@triton.jit
def matmul(a, b, c, m, n, k, a_stride, b_stride, c_stride,
           BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr,
           GROUP: tl.constexpr):
    program = tl.program_id(0)
    across = tl.cdiv(n, BLOCK_N)
    down = tl.cdiv(m, BLOCK_M)
    in_group = GROUP * across
    first = program // in_group * GROUP
    height = min(down - first, GROUP)
    block_m = first + program % in_group % height
    block_n = program % in_group // height
    rows = block_m * BLOCK_M + tl.arange(0, BLOCK_M)
    columns = block_n * BLOCK_N + tl.arange(0, BLOCK_N)
    depth = tl.arange(0, BLOCK_K)
    sums = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for start in range(0, k, BLOCK_K):
        left = tl.load(a + rows[:, None] * a_stride + (start + depth)[None, :],
                       mask=(rows[:, None] < m) & ((start + depth)[None, :] < k), other=0.0)
        right = tl.load(b + (start + depth)[:, None] * b_stride + columns[None, :],
                        mask=((start + depth)[:, None] < k) & (columns[None, :] < n), other=0.0)
        sums = tl.dot(left, right, sums)
    tl.store(c + rows[:, None] * c_stride + columns[None, :], sums.to(c.dtype.element_ty),
             mask=(rows[:, None] < m) & (columns[None, :] < n))


@triton.jit
def attention(q, k, v, out, lse, scale, queries, keys,
              BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, HEAD: tl.constexpr,
              CAUSAL: tl.constexpr):
    block = tl.program_id(0)
    head = tl.program_id(1)
    rows = block * BLOCK_M + tl.arange(0, BLOCK_M)
    within = tl.arange(0, HEAD)
    q_at = q + head * queries * HEAD + rows[:, None] * HEAD + within[None, :]
    query = tl.load(q_at, mask=rows[:, None] < queries, other=0.0)
    row_max = tl.full((BLOCK_M,), -float("inf"), tl.float32)
    row_sum = tl.zeros((BLOCK_M,), tl.float32)
    result = tl.zeros((BLOCK_M, HEAD), tl.float32)
    factor = scale * 1.4426950408889634
    end = keys
    if CAUSAL:
        end = tl.minimum(keys, (block + 1) * BLOCK_M)
    for start in range(0, end, BLOCK_N):
        columns = start + tl.arange(0, BLOCK_N)
        at = head * keys * HEAD + columns[:, None] * HEAD + within[None, :]
        key = tl.load(k + at, mask=columns[:, None] < keys, other=0.0)
        scores = tl.dot(query, tl.trans(key)) * factor
        visible = (columns < keys)[None, :]
        if CAUSAL:
            visible = visible & (rows[:, None] >= columns[None, :])
        scores = tl.where(visible, scores, -float("inf"))
        new_max = tl.maximum(row_max, tl.max(scores, axis=1))
        weights = tl.exp2(scores - new_max[:, None])
        shrink = tl.exp2(row_max - new_max)
        row_sum = row_sum * shrink + tl.sum(weights, axis=1)
        value = tl.load(v + at, mask=columns[:, None] < keys, other=0.0)
        result = tl.dot(weights.to(value.dtype), value, result * shrink[:, None])
        row_max = new_max
    result = result / row_sum[:, None]
    out_at = out + head * queries * HEAD + rows[:, None] * HEAD + within[None, :]
    tl.store(out_at, result.to(out.dtype.element_ty), mask=rows[:, None] < queries)
    tl.store(lse + head * queries + rows, (row_max + tl.log2(row_sum)) / 1.4426950408889634,
             mask=rows < queries)
