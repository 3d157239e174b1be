#!/usr/bin/env python3
"""Writes torch/weights: small files of torch.save and numpy.savez, and what they hold; torch/refused: files that
are none of tensors alone."""

import collections
import io
import os
import pathlib
import pickle
import sys
import zipfile

import numpy as np
import torch
from safetensors.torch import save_file


class Command:
    """Would run a command if it were unpickled as Python does."""

    def __reduce__(self):
        return os.system, ("touch executed",)


def state():
    """Every element type, views of one storage, a parameter, an empty tensor, a dictionary in another."""
    generator = torch.Generator().manual_seed(1)
    whole = torch.randint(0, 100, (4, 6), generator=generator)
    types = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
             torch.int8, torch.uint8]
    tensors = collections.OrderedDict((f"t.{str(t)[6:]}", whole.to(t)) for t in types)
    base = torch.arange(24, dtype=torch.float32)
    tensors["view.turned"] = base.reshape(4, 6).t()
    tensors["view.middle"] = base[5:9]
    tensors["view.strided"] = base[1::3]
    tensors["flag"] = torch.tensor([True, False])
    tensors["empty"] = torch.zeros(0, 3)
    tensors["scalar"] = torch.tensor(2.5)
    tensors["parameter"] = torch.nn.Parameter(torch.ones(2, 2) * 3)
    tensors["inner"] = {"a": torch.ones(3), "deep": {"b": torch.zeros(2)}}
    tensors._metadata = collections.OrderedDict([("", {"version": 1})])
    return tensors


def flat(tensors, prefix=""):
    for name, value in tensors.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value.detach().clone().contiguous()


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent) / "torch/weights"
    bad = root.parent / "refused"
    for folder in [root, bad]:
        folder.mkdir(parents=True, exist_ok=True)
    tensors = state()
    save_file(dict(flat(tensors)), root / "expected.safetensors")
    torch.save(tensors, root / "zip.pth")
    torch.save(tensors, root / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.save({"weight": torch.ones(2)}, root / "plain.pth", pickle_protocol=4)

    layer = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0]]))
        layer.bias.fill_(3)
    checkpoint = {"net": layer.state_dict(), "optimizer": optimizer.state_dict(), "step": 3}
    torch.save(checkpoint, root / "checkpoint.pth")
    torch.save(checkpoint, root / "checkpoint-legacy.pth", _use_new_zipfile_serialization=False)

    refused = {
        "command": {"weight": Command()}, "module": torch.nn.Linear(1, 1), "bare": torch.ones(2),
        "epoch": {"weight": torch.ones(2), "epoch": 3}, "list": [torch.ones(2)], "numbers": {1: torch.ones(2)},
        "sparse": {"weight": torch.ones(2, 2).to_sparse()},
    }
    for name, value in refused.items():
        torch.save(value, bad / f"{name}.pth")
    torch.save(refused["command"], bad / "command-legacy.pth", _use_new_zipfile_serialization=False)

    # A storage that claims more numbers than the archive holds.
    lying = io.BytesIO()
    with zipfile.ZipFile(root / "plain.pth") as source, zipfile.ZipFile(lying, "w") as target:
        for entry in source.infolist():
            data = source.read(entry)
            target.writestr(entry.filename, data[:4] if "/data/" in entry.filename else data)
    (bad / "short.pth").write_bytes(lying.getvalue())
    (bad / "pickle.pth").write_bytes(pickle.dumps({"weight": [1, 2]}))

    generator = np.random.default_rng(2)
    arrays = {
        "mean": generator.normal(size=5), "fortran": np.asfortranarray(generator.normal(size=(3, 4))),
        "bytes": np.arange(300, dtype=np.uint8), "text": np.frombuffer(b"limn " * 200, dtype=np.uint8),
        "cube": np.arange(24, dtype=np.float32).reshape(2, 3, 4), "scalar": np.float32(7),
        "none": np.zeros((0, 2), np.float32),
    }
    save_file({k: torch.from_numpy(np.array(v, order="C")) for k, v in arrays.items()}, root / "arrays.safetensors")
    np.savez(root / "stored.npz", **arrays)
    np.savez_compressed(root / "packed.npz", **arrays)
    np.save(root / "one.npy", arrays["cube"])
    np.savez(bad / "objects.npz", a=np.array([{}], dtype=object))
    np.savez(bad / "bigendian.npz", a=np.ones(2, ">f4"))


if __name__ == "__main__":
    main()
