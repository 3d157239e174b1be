# Writes synthesis/{pggan,pix2pix,skrgan,sketch}.safetensors from the references in Benchmarks/reference.
# Computed in float64, stored as float32; README.md beside this file lists the keys. `--check` also prints how far
# the same calculation in float32 is from the stored values, from which the tests take their tolerances.
import argparse
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import save_file
from scipy import ndimage

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "Benchmarks" / "reference"))

import pggan  # noqa: E402
import pix2pix  # noqa: E402
import skrgan  # noqa: E402
import sketch  # noqa: E402


def smooth_images(rng, count, size, sigma=1.5, channels=1):
    """Random smooth uint8 images that use the whole range."""
    x = ndimage.gaussian_filter(rng.standard_normal((count, channels, size, size)), (0, 0, sigma, sigma))
    low, high = x.min(axis=(2, 3), keepdims=True), x.max(axis=(2, 3), keepdims=True)
    return torch.from_numpy(np.round(255 * (x - low) / (high - low)).astype(np.uint8))


def scaled(images, dtype):
    return images.to(dtype) / 127.5 - 1


def randomized(module, weight=1.0, norm=0.2, bias=0.1):
    """Random biases and gains too: fresh ones would hide a bias or a gain that is applied in the wrong place."""
    with torch.no_grad():
        for m in module.modules():
            if isinstance(m, (torch.nn.BatchNorm2d, torch.nn.InstanceNorm2d)):
                m.weight.normal_(1, norm)
            elif getattr(m, "weight", None) is not None:
                m.weight.normal_(0, weight)
            if getattr(m, "bias", None) is not None:
                m.bias.normal_(0, bias)
    return module


def named(prefix, module):
    return {f"{prefix}.{k}": v.clone() for k, v in module.state_dict().items()}


def gradients(prefix, loss, module):
    names, parameters = zip(*module.named_parameters())
    found = torch.autograd.grad(loss, parameters, allow_unused=True)
    return {f"{prefix}.{n}": g for n, g in zip(names, found) if g is not None}


def pggan_fixture(dtype):
    torch.manual_seed(1)
    widths = dict(fmap_base=32, fmap_max=8)
    G = randomized(pggan.Generator(16, 1, latent_size=8, **widths)).to(dtype)
    D = randomized(pggan.Discriminator(16, 1, **widths)).to(dtype)
    z_d, z_g, u = torch.randn(8, 8), torch.randn(8, 8), torch.rand(8)
    images = smooth_images(np.random.default_rng(1), 8, 16)
    out = {**named("generator", G), **named("discriminator", D), "z_d": z_d, "z_g": z_g, "u": u, "reals": images}
    z_d, z_g, u, reals = z_d.to(dtype), z_g.to(dtype), u.to(dtype), scaled(images, dtype)

    for stage, alpha in ((0, 1), (1, 0.4), (2, 0), (2, 0.4), (2, 1)):
        key = f"stage{stage}.alpha{alpha}"
        at_stage = reals
        while at_stage.shape[-1] > 4 * 2**stage:
            at_stage = pggan.down2(at_stage)
        at_stage = pggan.fade_reals(at_stage, alpha)
        with torch.no_grad():
            fakes = G(z_d, stage, alpha)
        loss, terms = pggan.discriminator_loss(D, at_stage, fakes, u, stage, alpha)
        out[f"{key}.images"] = fakes[:2]
        out[f"{key}.real_logits"], out[f"{key}.fake_logits"] = D(at_stage, stage, alpha), D(fakes, stage, alpha)
        out.update({f"{key}.{name}": value for name, value in terms.items()})
        out[f"{key}.d_loss"] = loss
        out[f"{key}.g_loss"] = g_loss = pggan.generator_loss(G, D, z_g, stage, alpha)
        enlarged = pggan.discriminator_loss(D, at_stage, fakes, u, stage, alpha, enlargement=4 / 2**stage)
        out[f"{key}.enlarged_gradient_penalty"] = enlarged[1]["gradient_penalty"]
        if key == "stage2.alpha0.4":
            out.update(gradients("d_gradient", loss, D))
            out.update(gradients("g_gradient", g_loss, G))

    state = pggan.State(G, D)
    with torch.no_grad():
        for p in state.average.parameters():
            p.mul_(0.5)
    pggan.training_step(state, reals, z_d, z_g, u, 2, 0.4)
    last = pggan.training_step(state, reals, z_g, z_d, 1 - u, 2, 0.4)
    out.update({f"after.{name}": value for name, value in last.items()})
    after = named("after.generator", G) | named("after.discriminator", D)
    out.update({k: v for k, v in after.items() if v.numel() < 600})
    average = state.average.state_dict()
    out.update({f"after.average.{k}": average[k] for k in ("conv0.weight", "conv0.bias", "to_rgb.2.weight")})
    return out


def pix2pix_fixture(dtype):
    torch.manual_seed(2)
    G = randomized(pix2pix.UNet(1, 1, size=32, ngf=1), weight=0.2).to(dtype)
    D = randomized(pix2pix.PatchGAN(2, ndf=1), weight=0.2).to(dtype)
    data = smooth_images(np.random.default_rng(2), 4, 32)
    sketches, images = scaled(data, dtype).split(2)
    out = {**named("unet", G), **named("patchgan", D), "sketches": data[:2], "images": data[2:]}

    fakes = G(sketches, dropout=False)
    out["output"], out["logits"] = fakes, D(sketches, images)
    out["d_loss"] = d_loss = pix2pix.discriminator_loss(D, sketches, images, fakes.detach())
    out["g_loss"], out["adversarial"], out["l1"] = pix2pix.generator_loss(D, sketches, images, fakes)
    out.update(gradients("d_gradient", d_loss, D))
    out.update(gradients("g_gradient", out["g_loss"], G))

    instance_G, instance_D = pix2pix.UNet(1, 1, 32, 1, norm="instance"), pix2pix.PatchGAN(2, 1, norm="instance")
    instance_G.to(dtype).load_state_dict(G.state_dict())
    instance_D.to(dtype).load_state_dict(D.state_dict())
    out["instance.output"] = instance_G(sketches, dropout=False)[:1]
    out["instance.logits"] = instance_D(sketches, images)
    return out


def skrgan_fixture(dtype):
    torch.manual_seed(3)
    widths = dict(fmap_base=32, fmap_max=4)
    G1 = skrgan.SketchGenerator(32, 1, latent_size=4, **widths)
    networks = {
        "g1": randomized(G1), "d1": randomized(pggan.Discriminator(32, 1, **widths)),
        "g2": randomized(pix2pix.UNet(1, 1, size=32, ngf=1), weight=0.2),
        "d2": randomized(pix2pix.PatchGAN(2, ndf=1), weight=0.2),
    }
    with torch.no_grad():
        G1.latent_code.normal_(1, 0.2)
    z_d, z_g, u = torch.randn(4, 4), torch.randn(4, 4), torch.rand(4)
    data = smooth_images(np.random.default_rng(3), 8, 32)
    out = {"z_d": z_d, "z_g": z_g, "u": u, "sketches": data[:4], "images": data[4:]}
    for name, network in networks.items():
        out.update(named(name, network))
        network.to(dtype)
    z_d, z_g, u = z_d.to(dtype), z_g.to(dtype), u.to(dtype)
    sketches, images = scaled(data, dtype).split(4)

    state = skrgan.State(*networks.values())
    for step, (a, b, mix) in enumerate([(z_d, z_g, u), (z_g, z_d, 1 - u)]):
        losses = skrgan.training_step(state, sketches, images, a, b, mix, dropout=False)
        out.update({f"step{step}.{k}": v for k, v in losses.items()})
    for name, network in networks.items():
        out.update({k: v for k, v in named(f"after.{name}", network).items() if v.numel() <= 64})
    return out


def sketch_fixture():
    rng = np.random.default_rng(4)
    image = smooth_images(rng, 1, 32, channels=3)[0].permute(1, 2, 0).contiguous()
    rows, columns = np.mgrid[:32, :32]
    mask = ((rows - 15.5) ** 2 + (columns - 15.5) ** 2 < 14**2).astype(np.uint8)
    rgb = image.numpy()
    results = {
        "cross": sketch.sketch(rgb),
        "area64.sigma2": sketch.sketch(rgb, sigma=2.0, method="area64"),
        "green.masked": sketch.sketch(rgb, channel=1, mask=mask),
    }
    return {"image": image, "mask": torch.from_numpy(mask), **{k: torch.from_numpy(v) for k, v in results.items()}}


def stored(tensors):
    """Float64 as float32; every tensor its own contiguous copy."""
    return {k: (v.detach().float() if v.is_floating_point() else v).clone().contiguous() for k, v in tensors.items()}


def largest_difference(expected, found):
    """The largest |difference| / (1 + |expected|), and its key."""
    return max((((expected[k] - found[k]).abs() / (1 + expected[k].abs())).max().item(), k)
               for k in expected if expected[k].is_floating_point())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="also calculate in float32 and print the differences")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    folder = HERE / "synthesis"
    folder.mkdir(exist_ok=True)
    for name, make in {"pggan": pggan_fixture, "pix2pix": pix2pix_fixture, "skrgan": skrgan_fixture}.items():
        tensors = stored(make(torch.float64))
        save_file(tensors, folder / f"{name}.safetensors")
        if arguments.check:
            single = stored(make(torch.float32))
            print(name, *largest_difference(tensors, single))
    save_file(stored(sketch_fixture()), folder / "sketch.safetensors")


if __name__ == "__main__":
    main()
