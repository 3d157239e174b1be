"""Fixtures of LimnTranslationTests: RegGAN's networks and training steps in plain PyTorch
(Benchmarks/reference/reggan.py), the spatial transformer by SciPy.

    python make_translation_fixtures.py

Weights have the names that Limn's networks have. All is calculated in float64 and stored as float32.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from scipy.ndimage import map_coordinates

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Benchmarks" / "reference"))
from reggan import (Discriminator, Generator, Registration, discriminator_objective, generators_objective, roughness,
                    score)  # noqa: E402

FOLDER = Path(__file__).parent / "translation"


def step(nets, a, b, mode, factor=1, averages=True, **weights):
    """Losses and gradients of one step, generators first."""
    loss, terms, (fake_b, fake_a) = generators_objective(nets, a, b, mode, averages=averages, **weights)
    loss.backward()
    trained = [k for k in nets if not k.startswith("discriminator")]
    gradients = {f"{k}.{n}": p.grad.clone() for k in trained for n, p in nets[k].named_parameters() if p.grad is not None}
    for net in nets.values():
        net.zero_grad()
    for name, real, fake in (("b", b, fake_b), ("a", a, fake_a)):
        if fake is None:
            continue
        terms[f"loss_d_{name}"] = discriminator_objective(nets[f"discriminator_{name}"], real, fake, factor, averages)
        terms[f"loss_d_{name}"].backward()
    gradients |= {f"{k}.{n}": p.grad.clone() for k in nets if k not in trained
                  for n, p in nets[k].named_parameters() if p.grad is not None}
    for net in nets.values():
        net.zero_grad()
    return terms, gradients


def save(name, tensors):
    FOLDER.mkdir(exist_ok=True)
    save_file({k: v.detach().float().contiguous() for k, v in tensors.items()}, FOLDER / f"{name}.safetensors")


def make_networks():
    torch.manual_seed(1)
    nets = {"generator": Generator(2, 1), "discriminator": Discriminator(2), "registration": Registration(2, 4)}
    x = {"generator": torch.randn(2, 1, 32, 36), "discriminator": torch.randn(2, 1, 32, 36),
         "registration": torch.randn(2, 2, 32, 36)}
    out = {}
    for name, net in nets.items():
        net.double()
        out |= {f"{name}.{k}": v for k, v in net.state_dict().items()}
        out |= {f"input.{name}": x[name], f"output.{name}": net(x[name].double())}
    save("networks", out)


def make_steps():
    torch.manual_seed(2)
    nets = {"generator_b": Generator(2, 1), "generator_a": Generator(2, 1), "discriminator_b": Discriminator(2),
            "discriminator_a": Discriminator(2), "registration": Registration(2, 4)}
    with torch.no_grad():
        nets["registration"].output.weight.mul_(8)  # so that something is displaced
    a, b = (torch.rand(2, 1, 32, 32) * 2 - 1 for _ in range(2))
    weights = {f"{k}.{n}": v for k, net in nets.items() for n, v in net.double().state_dict().items()}
    save("step_weights", weights | {"a": a, "b": b})
    settings = {"nc": {}, "nc+r": {}, "c": {}, "c+r": {}, "cyclegan": dict(identity=5, factor=0.5, averages=False)}
    out = {}
    for mode, own in settings.items():
        which = "c" if mode == "cyclegan" else mode
        used = [k for k in nets if (which[0] == "c" or not k.endswith("_a")) and (which.endswith("+r") or k != "registration")]
        terms, gradients = step({k: nets[k] for k in used}, a.double(), b.double(), which, **own)
        out |= {f"{mode}/{k}": v for k, v in terms.items()}
        if mode in ("nc+r", "c+r", "cyclegan"):
            out |= {f"{mode}/gradient/{k}": v for k, v in gradients.items()}
    save("steps", out)


def make_pix2pix_step():
    """RegGAN's Pix2Pix: residual generator, discriminator of pairs, least squares of means."""
    torch.manual_seed(3)
    g, d = Generator(2, 1).double(), Discriminator(2, 2).double()
    a, b = (torch.rand(2, 1, 32, 32).double() * 2 - 1 for _ in range(2))
    fake = g(a)
    adversarial = (score(d, torch.cat([a, fake], 1)) - 1).square().mean()
    l1 = (fake - b).abs().mean()
    (adversarial + 100 * l1).backward()
    out = {f"generator_b.{k}": v for k, v in g.state_dict().items()} | {"a": a, "b": b, "loss_g_b": adversarial, "loss_l1": l1}
    out |= {f"discriminator_b.{k}": v for k, v in d.state_dict().items()}
    out |= {f"gradient/generator_b.{k}": p.grad.clone() for k, p in g.named_parameters()}
    d.zero_grad()
    loss = (score(d, torch.cat([a, b], 1)) - 1).square().mean() + score(d, torch.cat([a, fake.detach()], 1)).square().mean()
    loss.backward()
    out |= {"loss_d_b": loss} | {f"gradient/discriminator_b.{k}": p.grad for k, p in d.named_parameters()}
    save("pix2pix_step", out)


def make_warp():
    rng = np.random.default_rng(4)
    image, flow = (x.astype(np.float32).astype(np.float64) for x in (
        rng.normal(size=(2, 2, 13, 270)), rng.normal(0, 3, size=(2, 2, 13, 270))))
    rows, columns = np.mgrid[:13, :270]
    places = [np.stack([rows + flow[n, 0], columns + flow[n, 1]]) for n in range(2)]
    def moved(order):
        return np.stack([np.stack([map_coordinates(image[n, c], places[n], order=order, mode="nearest")
                                   for c in range(2)]) for n in range(2)])
    save("warp", {"image": torch.tensor(image), "flow": torch.tensor(flow), "bilinear": torch.tensor(moved(1)),
                  "nearest": torch.tensor(moved(0)), "roughness": roughness(torch.tensor(flow))})


if __name__ == "__main__":
    torch.set_num_threads(1)
    make_networks()
    make_steps()
    make_pix2pix_step()
    make_warp()
