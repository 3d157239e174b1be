# Times one training step of PGGAN, of SkrGAN and of RegGAN's modes, written plainly in eager PyTorch, on the CPU: the reference that
# Limn's own step is measured against. Prints one JSON line per configuration.
import argparse
import contextlib
import functools
import json
import statistics
import time

import torch

import pggan
import pix2pix
import reggan
import skrgan


def pggan_step(size, batch, options, autocast):
    G, D = pggan.Generator(size, 1, **options), pggan.Discriminator(size, 1, **options)
    state = pggan.State(G, D)
    reals = torch.rand(batch, 1, size, size) * 2 - 1

    def step():
        z_d, z_g, u = torch.randn(batch, G.latent_size), torch.randn(batch, G.latent_size), torch.rand(batch)
        return pggan.training_step(state, reals, z_d, z_g, u, autocast=autocast)
    return step


def skrgan_step(size, batch, options, autocast, ngf):
    G1, D1 = skrgan.SketchGenerator(size, 1, **options), pggan.Discriminator(size, 1, **options)
    state = skrgan.State(G1, D1, pix2pix.UNet(1, 1, size=size, ngf=ngf), pix2pix.PatchGAN(2, ndf=ngf))
    sketches, images = torch.rand(batch, 1, size, size) * 2 - 1, torch.rand(batch, 1, size, size) * 2 - 1
    latent = G1.generator.latent_size

    def step():
        z_d, z_g, u = torch.randn(batch, latent), torch.randn(batch, latent), torch.rand(batch)
        return skrgan.training_step(state, sketches, images, z_d, z_g, u, autocast=autocast)
    return step


TRANSLATIONS = {"reggan-pix2pix": "p2p", "reggan-nc": "nc", "reggan-nc+r": "nc+r", "reggan-c": "c", "reggan-c+r": "c+r",
                "reggan-nc+r-fresh": "nc+r"}


def translation_step(size, batch, mode, autocast, width, fresh_fakes):
    state = reggan.State(mode, size, width=width)
    a, b = torch.rand(batch, 1, size, size) * 2 - 1, torch.rand(batch, 1, size, size) * 2 - 1
    return lambda: reggan.training_step(state, a, b, autocast or contextlib.nullcontext, fresh_fakes)


def seconds_per_step(step, repeats, warmup):
    for _ in range(warmup):
        step()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        losses = step()
        times.append(time.perf_counter() - start)
    if not all(torch.isfinite(v) for v in losses.values()):
        raise SystemExit("a loss is not finite")
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--methods", nargs="+", default=["pggan", "skrgan"], choices=["pggan", "skrgan", *TRANSLATIONS])
    parser.add_argument("--sizes", nargs="+", type=int, default=[64, 128], help="image sizes, powers of two from 32")
    parser.add_argument("--batch", type=int, help="images per step (default: 8 up to 64 px, 4 above)")
    parser.add_argument("--fmap-base", type=int, default=8192)
    parser.add_argument("--fmap-max", type=int, default=512)
    parser.add_argument("--ngf", type=int, default=64, help="width of SkrGAN's U-Net and PatchGAN")
    parser.add_argument("--dtypes", nargs="+", default=["float32"], choices=["float32", "bf16"],
                        help="bf16 is autocast with float32 weights")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--warmup", type=int, default=1)
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    options = {"fmap_base": arguments.fmap_base, "fmap_max": arguments.fmap_max}
    for size in arguments.sizes:
        batch = arguments.batch or (8 if size <= 64 else 4)
        for dtype in arguments.dtypes:
            autocast = functools.partial(torch.autocast, "cpu", torch.bfloat16) if dtype == "bf16" else None
            for method in arguments.methods:
                torch.manual_seed(0)
                if method in TRANSLATIONS:
                    step = translation_step(
                        size, batch, TRANSLATIONS[method], autocast, arguments.ngf, method.endswith("-fresh"))
                elif method == "pggan":
                    step = pggan_step(size, batch, options, autocast)
                else:
                    step = skrgan_step(size, batch, options, autocast, arguments.ngf)
                times = seconds_per_step(step, arguments.repeats, arguments.warmup)
                print(json.dumps({
                    "implementation": "pytorch-eager", "torch": torch.__version__, "method": method, "size": size,
                    "batch": batch, **options, "ngf": None if method == "pggan" else arguments.ngf, "dtype": dtype,
                    "threads": arguments.threads, "repeats": arguments.repeats,
                    "seconds_per_step": round(statistics.median(times), 4), "fastest": round(min(times), 4),
                }), flush=True)


if __name__ == "__main__":
    main()
