"""Runs the same steps and samples in PyTorch, in a separate environment, for comparison.

  python -m venv torch && torch/bin/pip install torch --index-url https://download.pytorch.org/whl/cpu
  KERAS_GEN_TORCH=torch/bin/python python benchmarks/vae.py

This file contains both sides. The benchmarks, which do not need PyTorch, call `steps`, which starts
this file in the other environment. There, it runs the requested number of steps eagerly.
"""

import contextlib
import itertools
import math
import os
import subprocess
import sys
from functools import partial

BATCH = 100  # of the autoencoders' images


@contextlib.contextmanager
def steps(*names):
    """Starts PyTorch's side, if the variable KERAS_GEN_TORCH is the path of a Python with PyTorch.

    Yields:
        A dict that maps names to functions, each of which runs a number of steps and returns when
        they are done; empty without PyTorch.
    """
    python = os.environ.get("KERAS_GEN_TORCH")
    if not python:
        yield {}
        return
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
    with subprocess.Popen([python, __file__, *names], **pipes) as process:
        print("PyTorch", process.stdout.readline().strip())

        def run(name, count=1):
            process.stdin.write(f"{name} {count}\n")
            assert process.stdout.readline(), f"PyTorch's {name} failed"

        yield {name: partial(run, name) for name in names}
        process.stdin.close()


def mlp_vae(samples=None):
    """Builds a 784-200-200-50 VAE with tanh and Adam; with `samples`, an IWAE with that number."""
    import torch
    from torch import nn
    from torch.nn import functional

    def stack(*sizes):
        pairs = list(itertools.pairwise(sizes))
        layers = [layer for pair in pairs for layer in (nn.Linear(*pair), nn.Tanh())]
        return nn.Sequential(*layers[:-1])

    encoder, decoder = stack(784, 200, 200, 100), stack(50, 200, 200, 784)
    adam = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-3, eps=1e-4)
    images = torch.rand(BATCH, 784)

    def step():
        x = torch.bernoulli(images)
        mean, log_variance = encoder(x).chunk(2, -1)
        shape = mean.shape if samples is None else (samples, *mean.shape)
        noise = torch.randn(shape)
        latents = mean + torch.exp(0.5 * log_variance) * noise
        logits = decoder(latents)
        nats = functional.binary_cross_entropy_with_logits(
            logits, x.expand_as(logits), reduction="none"
        ).sum(-1)
        if samples is None:
            kl = 0.5 * (log_variance.exp() + mean**2 - 1 - log_variance).sum(-1)
            loss = (nats + kl).mean()
        else:
            ratio = 0.5 * (noise**2 + log_variance - latents**2).sum(-1)
            loss = -torch.logsumexp(ratio - nats, 0).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()

    return step


def cyclegan(dtype="float32", size=64, batch=4, filters=32, blocks=6):
    """Returns the textbook step of Zhu et al., with one backward pass for both generators."""
    import torch
    from torch import nn
    from torch.nn import functional

    def block(a, b, kernel, stride=1, padding=0, norm=True, act=nn.ReLU):
        layers = [nn.Conv2d(a, b, kernel, stride, padding, bias=not norm)]
        return layers + ([nn.InstanceNorm2d(b, affine=True)] if norm else []) + [act()]

    class Residual(nn.Module):
        def __init__(self, width):
            super().__init__()
            first = [nn.ReflectionPad2d(1), *block(width, width, 3)]
            last = [nn.ReflectionPad2d(1), *block(width, width, 3, act=nn.Identity)]
            self.body = nn.Sequential(*first, *last)

        def forward(self, x):
            return x + self.body(x)

    def generator():
        k = filters
        layers = [nn.ReflectionPad2d(3), *block(3, k, 7)]
        layers += [*block(k, 2 * k, 3, 2, 1), *block(2 * k, 4 * k, 3, 2, 1)]
        layers += [Residual(4 * k) for _ in range(blocks)]
        for a, b in ((4 * k, 2 * k), (2 * k, k)):
            up = nn.ConvTranspose2d(a, b, 3, 2, 1, output_padding=1, bias=False)
            layers += [up, nn.InstanceNorm2d(b, affine=True), nn.ReLU()]
        return nn.Sequential(*layers, nn.ReflectionPad2d(3), nn.Conv2d(k, 3, 7), nn.Tanh())

    def discriminator():
        leaky, layers, width = partial(nn.LeakyReLU, 0.2), [], 3
        for layer in range(4):
            wider = filters * 2 ** min(layer, 3)
            layers += block(width, wider, 4, 2 if layer < 3 else 1, 1, layer > 0, leaky)
            width = wider
        return nn.Sequential(*layers, nn.Conv2d(width, 1, 4, 1, 1))

    g, f, d_x, d_y = generator(), generator(), discriminator(), discriminator()
    adam = partial(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999))
    g_adam = adam([*g.parameters(), *f.parameters()])
    d_adam = adam([*d_x.parameters(), *d_y.parameters()])
    x, y = torch.rand(2, batch, 3, size, size).mul(2).sub(1)

    def error_of(network, images, target):
        return ((network(images) - target) ** 2).mean()

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bfloat16"):
            for network in (d_x, d_y):
                network.requires_grad_(False)
            fake_y, fake_x = g(x), f(y)
            g_loss = error_of(d_y, fake_y, 1) + error_of(d_x, fake_x, 1)
            g_loss = g_loss + 10 * (
                functional.l1_loss(f(fake_y), x) + functional.l1_loss(g(fake_x), y)
            )
            g_loss = g_loss + 5 * (functional.l1_loss(f(x), x) + functional.l1_loss(g(y), y))
            g_adam.zero_grad()
            g_loss.backward()
            g_adam.step()
            for network in (d_x, d_y):
                network.requires_grad_(True)
            d_loss = 0.5 * (error_of(d_y, y, 1) + error_of(d_y, fake_y.detach(), 0))
            d_loss = d_loss + 0.5 * (error_of(d_x, x, 1) + error_of(d_x, fake_x.detach(), 0))
            d_adam.zero_grad()
            d_loss.backward()
            d_adam.step()

    return step


def gan(critic_steps=0, size=32, batch=64, filters=32, latents=100):
    """Returns the step of DCGAN or, with critic steps, of WGAN-GP with layer normalization."""
    import torch
    from torch import nn
    from torch.nn import functional

    stages = size.bit_length() - 3

    def generator():
        width = filters * 2 ** (stages - 1)
        layers = [nn.ConvTranspose2d(latents, width, 4, bias=False), nn.BatchNorm2d(width)]
        layers.append(nn.ReLU())
        for _ in range(stages - 1):
            layers += [nn.ConvTranspose2d(width, width // 2, 4, 2, 1, bias=False)]
            layers += [nn.BatchNorm2d(width // 2), nn.ReLU()]
            width //= 2
        return nn.Sequential(*layers, nn.ConvTranspose2d(width, 1, 4, 2, 1), nn.Tanh())

    def discriminator():
        layers, width = [], 1
        for stage in range(stages):
            wider = filters * 2**stage
            layers.append(nn.Conv2d(width, wider, 4, 2, 1, bias=stage == 0))
            if stage:
                layers.append(nn.GroupNorm(1, wider) if critic_steps else nn.BatchNorm2d(wider))
            layers.append(nn.LeakyReLU(0.2))
            width = wider
        return nn.Sequential(*layers, nn.Conv2d(width, 1, 4), nn.Flatten(0))

    g, d = generator(), discriminator()
    adam = partial(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999))
    g_adam, d_adam = adam(g.parameters()), adam(d.parameters())
    images = torch.rand(max(critic_steps, 1), batch, 1, size, size).mul(2).sub(1)

    def noise():
        return torch.randn(batch, latents, 1, 1)

    def take(adam, loss):
        adam.zero_grad()
        loss.backward()
        adam.step()

    def step():
        for real in images:
            with torch.no_grad():
                fake = g(noise())
            if critic_steps:
                mix = torch.rand(batch, 1, 1, 1)
                between = (mix * real + (1 - mix) * fake).requires_grad_()
                (slope,) = torch.autograd.grad(d(between).sum(), between, create_graph=True)
                penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
                loss = d(fake).mean() - d(real).mean() + 10 * penalty
            else:
                loss = functional.softplus(-d(real)).mean() + functional.softplus(d(fake)).mean()
            take(d_adam, loss)
        d.requires_grad_(False)
        logits = d(g(noise()))
        take(g_adam, -logits.mean() if critic_steps else functional.softplus(-logits).mean())
        d.requires_grad_(True)

    return step


def glow(side=28, batch=32, filters=32, scales=2, steps=4, alpha=0.05):
    """Returns the step of Glow: logit, squeezing, norms, 1x1 convolutions, and couplings."""
    import torch
    from torch import nn
    from torch.nn import functional

    def of_zeros(inputs, outputs):
        layer = nn.Conv2d(inputs, outputs, 3, padding=1)
        nn.init.zeros_(layer.weight)
        return layer

    class StepOfFlow(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.log_scale = nn.Parameter(torch.zeros(channels, 1, 1))
            self.bias = nn.Parameter(torch.zeros(channels, 1, 1))
            self.mixing = nn.Parameter(torch.linalg.qr(torch.randn(channels, channels))[0])
            self.factor = nn.Parameter(torch.ones(()))
            half = channels // 2
            hidden = [nn.Conv2d(half, filters, 3, padding=1), nn.ReLU()]
            hidden += [nn.Conv2d(filters, filters, 1), nn.ReLU()]
            self.coupling = nn.Sequential(*hidden, of_zeros(filters, channels))

        def forward(self, x):
            x = x * self.log_scale.exp() + self.bias
            x = functional.conv2d(x, self.mixing[:, :, None, None])
            places = x.shape[2] * x.shape[3]
            log_det = places * (self.log_scale.sum() + torch.slogdet(self.mixing)[1])
            passive, active = x.chunk(2, 1)
            scale, shift = self.coupling(passive).chunk(2, 1)
            log_scale = self.factor * torch.tanh(scale)
            active = active * log_scale.exp() + shift
            return torch.cat([passive, active], 1), log_det + log_scale.sum((1, 2, 3))

    widths = [4 * 2**scale for scale in range(scales)]
    flows = nn.ModuleList(nn.ModuleList(StepOfFlow(c) for _ in range(steps)) for c in widths)
    priors = nn.ModuleList(of_zeros(c // 2, c) for c in widths[:-1])
    adam = torch.optim.Adam([*flows.parameters(), *priors.parameters()], 1e-3)
    levels = torch.randint(256, (batch, 1, side, side)).float()

    def normal_nats(x):
        return (0.5 * (x**2 + math.log(2 * math.pi))).sum((1, 2, 3))

    def step():
        p = alpha + (1 - 2 * alpha) * (levels + torch.rand_like(levels)) / 256
        x = torch.log(p) - torch.log(1 - p)
        nats = (torch.log(p) + torch.log(1 - p)).sum((1, 2, 3))
        for scale, flow in enumerate(flows):
            x = functional.pixel_unshuffle(x, 2)
            for each in flow:
                x, log_det = each(x)
                nats = nats - log_det
            if scale < scales - 1:
                x, leaving = x.chunk(2, 1)
                mean, log_scale = priors[scale](x).chunk(2, 1)
                latents = (leaving - mean) * torch.exp(-log_scale)
                nats = nats + normal_nats(latents) + log_scale.sum((1, 2, 3))
        loss = (nats + normal_nats(x)).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()

    return step


def pixel_cnn(side=28, batch=16, filters=32, blocks=5, levels=256):
    """Returns a function that samples from PixelCNN with a full pass for each pixel."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Masked(nn.Conv2d):
        def __init__(self, inputs, outputs, kernel=1, sees_itself=True):
            super().__init__(inputs, outputs, kernel, padding=kernel // 2)
            seen = torch.arange(kernel**2).reshape(kernel, kernel)
            self.register_buffer("mask", (seen < kernel**2 // 2 + sees_itself).float())

        def forward(self, x):
            return functional.conv2d(x, self.weight * self.mask, self.bias, padding=self.padding)

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            layers = [nn.ReLU(), Masked(2 * filters, filters), nn.ReLU()]
            layers += [Masked(filters, filters, 3), nn.ReLU(), Masked(filters, 2 * filters)]
            self.body = nn.Sequential(*layers)

        def forward(self, x):
            return x + self.body(x)

    layers = [Masked(1, 2 * filters, 7, sees_itself=False)]
    layers += [Residual() for _ in range(blocks)]
    for outputs in (2 * filters, 2 * filters, levels):
        layers += [nn.ReLU(), Masked(2 * filters, outputs)]
    network = nn.Sequential(*layers)

    @torch.no_grad()
    def sample():
        images = torch.zeros(batch, 1, side, side)
        for row in range(side):
            for column in range(side):
                logits = network(images / (levels - 1) * 2 - 1)[:, :, row, column]
                drawn = torch.multinomial(logits.softmax(1), 1)
                images[:, 0, row, column] = drawn[:, 0].float()

    return sample


def time_unet(side=28, widths=(32, 64), patch=2, groups=8):
    """Returns the network `keras_gen.networks.time_unet`, for images on a path and their times."""
    import torch
    from torch import nn
    from torch.nn import functional

    units = 2 * widths[-1]

    class Adaptive(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.normalize = nn.GroupNorm(groups, channels, affine=False)
            self.affine = nn.Linear(units, 2 * channels)

        def forward(self, x, time):
            scale, offset = self.affine(time)[:, :, None, None].chunk(2, 1)
            return functional.relu((1 + scale) * self.normalize(x) + offset)

    class Block(nn.Module):
        def __init__(self, inputs, outputs):
            super().__init__()
            self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
            self.adaptive = Adaptive(outputs)
            self.last = nn.Conv2d(outputs, outputs, 3, padding=1)
            self.around = nn.Identity()
            if inputs != outputs:
                self.around = nn.Conv2d(inputs, outputs, 1)

        def forward(self, x, time):
            return self.around(x) + self.last(self.adaptive(self.first(x), time))

    class Attention(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.normalize = nn.LayerNorm(channels)
            self.parts = nn.Linear(channels, 3 * channels)
            self.added = nn.Linear(channels, channels)

        def forward(self, x):
            places = x.flatten(2).transpose(1, 2)
            query, key, value = self.parts(self.normalize(places)).chunk(3, -1)
            scores = query @ key.transpose(1, 2) * query.shape[-1] ** -0.5
            places = places + self.added(scores.softmax(-1) @ value)
            return places.transpose(1, 2).reshape(x.shape)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            wide, wider = widths
            self.embedding = nn.Sequential(
                nn.Linear(64, units), nn.ReLU(), nn.Linear(units, units), nn.ReLU()
            )
            self.start = nn.Conv2d(1, wide, patch + 2, patch, 1)
            self.down = nn.Conv2d(wide, wider, 3, 2, 1)
            self.up = nn.Conv2d(wider, wide, 3, padding=1)
            sizes = [(wide, wide), (wider, wider), (wider, wider)]
            sizes += [(2 * wider, wider), (2 * wider, wider)]
            sizes += [(2 * wide, wide), (2 * wide, wide)]
            self.blocks = nn.ModuleList(itertools.starmap(Block, sizes))
            self.attentions = nn.ModuleList(Attention(wider) for _ in range(3))
            self.adaptive = Adaptive(wide)
            self.end = nn.Conv2d(wide, patch**2, 3, padding=1)
            self.register_buffer("rates", 2 ** torch.linspace(0, 10, 32))

        def forward(self, x, t):
            angles = t[:, None] * self.rates
            time = self.embedding(torch.cat([angles.sin(), angles.cos()], 1))
            down, again, middle, first, second, third, fourth = self.blocks
            start = self.start(x)
            large = down(start, time)
            halved = self.down(large)
            small = self.attentions[0](again(halved, time))
            x = self.attentions[1](middle(small, time))
            x = self.attentions[2](first(torch.cat([x, small], 1), time))
            x = second(torch.cat([x, halved], 1), time)
            x = self.up(functional.interpolate(x, scale_factor=2))
            x = third(torch.cat([x, large], 1), time)
            x = fourth(torch.cat([x, start], 1), time)
            return functional.pixel_shuffle(self.end(self.adaptive(x, time)), patch)

    return Network()


def ddpm(batch=64, steps=1000):
    """Returns the step of DDPM on the linear path: noise prediction at evenly distributed times."""
    import torch

    network = time_unet()
    adam = torch.optim.Adam(network.parameters(), 1e-3)
    images = torch.rand(batch, 1, 28, 28).mul(2).sub(1)
    kept = torch.cumprod(1 - torch.linspace(1e-4, 0.02, steps), 0)

    def step():
        number = torch.randint(steps, [batch])
        noise = torch.randn_like(images)
        alpha = kept[number, None, None, None]
        x_t = alpha.sqrt() * images + (1 - alpha).sqrt() * noise
        loss = (network(x_t, (number + 1) / steps) - noise).square().mean()
        adam.zero_grad()
        loss.backward()
        adam.step()

    return step


def ddim(n=64, steps=20):
    """Returns a function that samples with a few steps of DDIM."""
    import torch

    network = time_unet()
    kept = torch.cat([torch.ones(1), torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0)])

    @torch.no_grad()
    def sample():
        x = torch.randn(n, 1, 28, 28)
        places = torch.linspace(1000, 0, steps + 1).round().long().tolist()
        for place, following in itertools.pairwise(places):
            noise = network(x, torch.full([n], place / 1000))
            example = (x - (1 - kept[place]).sqrt() * noise) / kept[place].sqrt()
            example = example.clamp(-1, 1)
            noise = (x - kept[place].sqrt() * example) / (1 - kept[place]).sqrt()
            x = kept[following].sqrt() * example + (1 - kept[following]).sqrt() * noise

    return sample


STEPS = {
    "vae": mlp_vae,
    "iwae": partial(mlp_vae, samples=50),
    "dcgan": gan,
    "wgan-gp": partial(gan, critic_steps=5),
    "cyclegan float32": cyclegan,
    "cyclegan bfloat16": partial(cyclegan, "bfloat16"),
    "glow": glow,
    "ddpm": ddpm,
    "ddpm samples": ddim,
    "pixel cnn 14": partial(pixel_cnn, side=14),
    "pixel cnn 28": pixel_cnn,
}


def serve(names):
    """Runs the steps that standard input requests: a name and a number per line."""
    import torch

    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(0)
    made = {name: STEPS[name]() for name in names}
    print(torch.__version__, f"{torch.get_num_threads()} threads", flush=True)
    for line in sys.stdin:
        name, count = line.rsplit(" ", 1)
        for _ in range(int(count)):
            made[name]()
        print("done", flush=True)


if __name__ == "__main__":
    serve(sys.argv[1:])
