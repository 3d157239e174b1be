#!/usr/bin/env python3
# Writes translation/{unit,munit,nicegan}.safetensors from Benchmarks/reference: weights under the published names,
# inputs, outputs, the losses of one training step and their gradients. Computed in float64, stored as float32.
# `--check` prints how far the same calculation in float32 is from the stored values.

import argparse
import pathlib
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "Benchmarks" / "reference"))

import munit  # noqa: E402
import nicegan  # noqa: E402


def images(seed, size, dtype):
    """Two smooth images in [-1, 1]: coarse noise, enlarged."""
    coarse = torch.randn(2, 1, 6, 6, generator=torch.Generator().manual_seed(seed))
    fine = F.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True)
    return (fine / 2).clamp(-1, 1).to(torch.float16).to(dtype)


def noise(seed, shape, dtype):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(torch.float16).to(dtype)


def sampled(values, most=32):
    """At most so many values, evenly spread."""
    return values.flatten()[:: (values.numel() + most - 1) // most]


def gradients(out, prefix, loss, networks):
    """For each network one vector: samples of the loss's gradients for its weights, in the order of their names."""
    for name, network in networks.items():
        weights = dict(sorted(network.w.parameters().items()))
        found = torch.autograd.grad(loss, list(weights.values()), retain_graph=True, allow_unused=True)
        found = [torch.zeros_like(w) if g is None else g for w, g in zip(weights.values(), found)]
        out[f"{prefix}.{name}"] = torch.cat([sampled(gradient) for gradient in found])


def weights(out, networks):
    for name, network in networks.items():
        out.update({f"{name}.{key}": value.detach().clone() for key, value in network.w.items()})


def step(out, mode, generator, discriminator, networks):
    """The losses of a step and their gradients."""
    loss, terms, fake_b, fake_a = generator
    generators = {key: networks[key] for key in ("gen_a", "gen_b") if key in networks}
    out[f"{mode}.loss"] = loss
    out.update({f"{mode}.{key}": value for key, value in terms.items()})
    gradients(out, mode, loss, generators)
    loss = discriminator(fake_b.detach(), fake_a.detach())
    out[f"{mode}.d_loss"] = loss
    gradients(out, mode, loss, {key: networks[key] for key in networks if key not in generators})


def auto_encoders(dtype, make, loss, chance, extra):
    """Both auto-encoder methods: `chance` gives what is drawn at random, `extra` adds outputs."""
    G_a, G_b = (make(munit.Weights(seed, dtype)) for seed in (1, 2))
    D_a, D_b = (munit.Multiscale(munit.Weights(seed, dtype)) for seed in (3, 4))
    networks = {"gen_a": G_a, "gen_b": G_b, "dis_a": D_a, "dis_b": D_b}
    a, b = images(5, 64, dtype), images(6, 64, dtype)
    out = {"a": a, "b": b, **chance}
    drawn = list(chance.values())
    loss(G_a, G_b, D_a, D_b, a, b, *drawn, True)  # draws the weights
    weights(out, networks)
    extra(out, G_a, G_b, a, b)
    for i, scores in enumerate(D_a(a)):
        out[f"scores.{i}"] = scores
    for mode, cyclic in (("c", True), ("nc", False)):
        def judged(fake_b, fake_a):
            total = D_b.loss(fake_b, 0) + D_b.loss(b, 1)
            return total + D_a.loss(fake_a, 0) + D_a.loss(a, 1) if cyclic else total

        result = loss(G_a, G_b, D_a, D_b, a, b, *drawn, cyclic)
        step(out, mode, result, judged, networks if cyclic else {k: networks[k] for k in networks if k != "dis_a"})
    return out


def unit_fixture(dtype):
    def loss(G_a, G_b, D_a, D_b, a, b, *rest):
        return munit.unit_loss(G_a, G_b, D_a, D_b, a, b, rest[:4], rest[4])

    def extra(out, G_a, G_b, a, b):
        code = G_a.encode(a)
        out["code"], out["translated"] = sampled(code, 512), sampled(G_b.decode(code), 512)

    chance = {f"noise.{i}": noise(10 + i, (2, 8, 16, 16), dtype) for i in range(4)}
    return auto_encoders(dtype, munit.VAE, loss, chance, extra)


def munit_fixture(dtype):
    def extra(out, G_a, G_b, a, b):
        content, out["style"] = G_a.encode(a)
        out["content"] = sampled(content, 512)
        out["translated"] = sampled(G_b.decode(content, out["style_b"]), 512)

    chance = {"style_a": noise(10, (2, 3, 1, 1), dtype), "style_b": noise(11, (2, 3, 1, 1), dtype)}
    return auto_encoders(dtype, munit.StyleAE, munit.munit_loss, chance, extra)


def nicegan_fixture(dtype):
    G_a, G_b = (nicegan.Generator(munit.Weights(seed, dtype)) for seed in (1, 2))
    D_a, D_b = (nicegan.Discriminator(munit.Weights(seed, dtype), layers=6) for seed in (3, 4))
    alone = nicegan.Standalone(munit.Weights(7, dtype), light=True)
    a, b = images(5, 48, dtype), images(6, 48, dtype)
    networks = {"gen_a": G_a, "gen_b": G_b, "dis_a": D_a, "dis_b": D_b, "alone": alone}
    nicegan.generator_loss(G_a, G_b, D_a, D_b, a, b), alone(a)  # draws the weights
    out = {"a": a, "b": b}
    weights(out, networks)

    loss = nicegan.discriminator_loss(G_a, G_b, D_a, D_b, a, b)
    out["c.d_loss"] = loss
    gradients(out, "c", loss, {"dis_a": D_a, "dis_b": D_b})
    loss, terms, fake_b, _ = nicegan.generator_loss(G_a, G_b, D_a, D_b, a, b)
    out["c.loss"], out["c.fake_b"] = loss, sampled(fake_b, 512)
    out.update({f"c.{key}": value for key, value in terms.items()})
    gradients(out, "c", loss, {"gen_a": G_a, "gen_b": G_b})
    out["after.dis_b"] = torch.cat([v for k, v in sorted(D_b.w.items()) if k.endswith(("_u", "_v"))])

    # One direction, from the discriminators' new vectors.
    with torch.no_grad():
        fake = alone(a)
    loss = D_b.loss(D_b(b), 1) + D_b.loss(D_b(fake), 0)
    out["nc.d_loss"] = loss
    gradients(out, "nc", loss, {"dis_b": D_b})
    fake = alone(a)
    out["nc.loss"] = out["nc.loss_g_b"] = loss = D_b.loss(D_b(fake), 1)
    gradients(out, "nc", loss, {"alone": alone})

    D_b.training = False
    for name, value in zip(("local", "global", "attention", "code"), D_b(b)):
        out[f"evaluated.{name}"] = value
    return out


def stored(name):
    """Inputs and weights are numbers of 16 bits, but for the vectors of spectral normalisation."""
    given = () if name.endswith(("_u", "_v")) else ("noise", "style_", "gen_", "dis_", "alone.")
    return torch.float16 if name in ("a", "b") or name.startswith(given) else torch.float32


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    folder = HERE / "translation"
    folder.mkdir(exist_ok=True)
    for name, make in {"unit": unit_fixture, "munit": munit_fixture, "nicegan": nicegan_fixture}.items():
        exact = {k: v.detach().to(stored(k)).contiguous().clone() for k, v in make(torch.float64).items()}
        save_file(exact, folder / f"{name}.safetensors", metadata={"torch": torch.__version__.split("+")[0]})
        if check:
            rough = make(torch.float32)
            worst = max((((rough[k].detach() - v).abs().max() / v.abs().max().clamp(min=1e-8)).item(), k)
                        for k, v in exact.items())
            print(f"{name}: float32 differs by {worst[0]:.2e}, in {worst[1]}")


if __name__ == "__main__":
    main()
