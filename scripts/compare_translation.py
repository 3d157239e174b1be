"""The official side of scripts/compare-translation: networks of an official checkout with random weights, saved as
their trainers save them, and what they give for random images.

    compare_translation.py munit|nicegan|reggan|cyclegan NETWORKS.py FOLDER
"""
import functools
import importlib.util
import pathlib
import sys
import types

import torch
from torch import nn
from safetensors.torch import save_file

PART, NETWORKS, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])


def loaded(name, path, mended=lambda text: text):
    module = importlib.util.module_from_spec(importlib.util.spec_from_file_location(name, path))
    exec(compile(mended(path.read_text()), str(path), "exec"), module.__dict__)
    return module


def shaken(module):
    """Fresh gains, offsets and shares would hide where they act."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return module


def munit(networks, out):
    widths = dict(dim=16, mlp_dim=32, style_dim=8, activ="relu", n_downsample=2, n_res=2, pad_type="reflect")
    judges = dict(dim=8, norm="none", activ="lrelu", n_layer=4, gan_type="lsgan", num_scales=3, pad_type="reflect")
    x, y = torch.rand(2, 1, 64, 64) * 2 - 1, torch.rand(2, 1, 64, 64) * 2 - 1
    style = torch.randn(2, 8, 1, 1)
    out.update(x=x, y=y, given_style=style)
    D = {domain: shaken(networks.MsImageDis(1, judges)) for domain in "ab"}
    torch.save({domain: d.state_dict() for domain, d in D.items()}, FOLDER / "dis_00000001.pt")
    for i, scores in enumerate(D["b"](x)):
        out[f"scores.{i}"] = scores
    out["generator_loss"], out["discriminator_loss"] = D["b"].calc_gen_loss(x), D["b"].calc_dis_loss(x, y)
    for name, make in (("munit", networks.AdaINGen), ("unit", networks.VAEGen)):
        G = {domain: shaken(make(1, widths)) for domain in "ab"}
        torch.save({domain: g.state_dict() for domain, g in G.items()}, FOLDER / f"gen_{name}.pt")
        if name == "munit":
            out["content"], out["style"] = G["a"].encode(x)
            out["munit"] = G["b"].decode(out["content"], style)
        else:
            # Its `encode` draws noise on a GPU.
            out["code"] = G["a"].enc(x)
            out["unit"] = G["b"].decode(out["code"])


def nicegan(networks, out):
    x, y = torch.rand(2, 1, 96, 96) * 2 - 1, torch.rand(2, 1, 96, 96) * 2 - 1
    out.update(x=x, y=y)
    sizes = dict(input_nc=1, output_nc=1, ngf=8, n_blocks=2, img_size=96)
    G = {"gen2B": networks.ResnetGenerator(light=False, **sizes), "gen2A": networks.ResnetGenerator(light=True, **sizes)}
    D = {"disA": networks.Discriminator(1, ndf=8), "disB": networks.Discriminator(1, ndf=8)}
    for network in (*G.values(), *D.values()):
        shaken(network)
    optimizers = {}
    for name, group in (("D_optimizer", D), ("G_optimizer", G)):
        parameters = [p for network in group.values() for p in network.parameters()]
        optimizers[name] = torch.optim.Adam(parameters, lr=1e-4, betas=(0.5, 0.999), weight_decay=1e-4)
    loss = sum(part.square().mean() for part in D["disA"](x)) + G["gen2B"](D["disB"](y)[4]).square().mean()
    loss.backward()
    for optimizer in optimizers.values():
        optimizer.step()
    params = {name: network.state_dict() for name, network in (G | D).items()}
    params.update({name: optimizer.state_dict() for name, optimizer in optimizers.items()}, start_iter=1)
    torch.save(params, FOLDER / "x_params_0000001.pt")
    torch.save(params, FOLDER / "x_params_old.pt", _use_new_zipfile_serialization=False)
    # The order of a step's passes: each is a power iteration.
    for i in (0, 1):
        for name, image in (("disA", x), ("disB", y)):
            for key, value in zip(("local", "global", "attention", "heatmap", "code"), D[name](image)):
                if key != "heatmap":
                    out[f"{name}.{i}.{key}"] = value
    out["b"], out["a"] = G["gen2B"](out["disA.1.code"]), G["gen2A"](out["disB.1.code"])


def reggan(networks, out):
    out["x"] = x = torch.rand(1, 1, 96, 96) * 2 - 1
    G = shaken(networks.ResnetGenerator2(1, 1, ngf=8, n_blocks=2, light=True))
    D = shaken(networks.Discriminator2(1, ndf=4))
    torch.save(G.state_dict(), FOLDER / "netG_A2B.pth")
    torch.save(D.state_dict(), FOLDER / "netD_B.pth")
    out["image"] = G(x)
    out["local"], out["global"], out["attention"] = D(x)
    reggan_host(out)


def reggan_host(out):
    """The host that RegGAN took over from CycleGAN, the registration network and its transformer."""
    root = NETWORKS.parents[1]
    host = loaded("host", root / "Model" / "CycleGan.py")
    package = types.ModuleType("trainer")
    package.__path__ = [str(root / "trainer")]
    sys.modules["trainer"] = package
    # The newest version has a comma of full width, which Python refuses.
    registration = loaded("trainer.reg", root / "trainer" / "reg.py", lambda text: text.replace("\uff0c", ","))
    transformer = loaded("trainer.transformer", root / "trainer" / "transformer.py", lambda text: text.replace(".cuda()", ""))
    out["a"], out["b"] = torch.rand(2, 1, 256, 256) * 2 - 1, torch.rand(2, 1, 256, 256) * 2 - 1
    networks = {"generator": host.Generator(1, 1), "discriminator": host.Discriminator(1),
                "registration": registration.Reg(256, 256, 1, 1)}
    for name, network in networks.items():
        torch.save(shaken(network).state_dict(), FOLDER / f"{name}.pth")
    out["generator"], out["discriminator"] = networks["generator"](out["a"]), networks["discriminator"](out["a"])
    out["registration"] = networks["registration"](out["a"], out["b"])
    out["flow"] = 3 * torch.randn(2, 2, 256, 256)
    out["warped"] = transformer.Transformer_2D()(out["a"], out["flow"])


def cyclegan(networks, out):
    """The networks of pytorch-CycleGAN-and-pix2pix, in training mode, as they are used."""
    out["x"] = torch.rand(1, 1, 64, 64) * 2 - 1
    out["pair"] = torch.rand(1, 2, 64, 64) * 2 - 1
    instance = functools.partial(nn.InstanceNorm2d, affine=False, track_running_stats=False)
    made = {"unet": (networks.UnetGenerator(1, 1, 6, ngf=8), "x"),
            "resnet": (networks.ResnetGenerator(1, 1, ngf=8, norm_layer=instance, n_blocks=6), "x"),
            "patchgan": (networks.NLayerDiscriminator(2, ndf=8), "pair"),
            "instance-patchgan": (networks.NLayerDiscriminator(2, ndf=8, norm_layer=instance), "pair")}
    for name, (network, image) in made.items():
        torch.save(shaken(network).state_dict(), FOLDER / f"{name}.pth")
        out[name] = network(out[image])


torch.manual_seed(1)
out = {}
with torch.set_grad_enabled(PART == "nicegan"):
    {"munit": munit, "nicegan": nicegan, "reggan": reggan, "cyclegan": cyclegan}[PART](loaded("networks", NETWORKS), out)
save_file({k: v.detach().contiguous().clone() for k, v in out.items()}, FOLDER / f"{PART}.safetensors")
