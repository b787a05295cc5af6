"""Optimizers and weights that a class has by default: those of its paper, or why not."""

import inspect

import pytest

from keras_gen.core.schedules import Exponential, Linear
from keras_gen.losses import R1, GradientPenalty, Wasserstein

# Name, rate, beta_1, and beta_2. Keras' own where a paper has another for each data set, or none.
ADAM = ("Adam", 1e-3, 0.9, 0.999)
DCGAN = ("Adam", 2e-4, 0.5, 0.999)  # Radford et al. 2016, sec. 4

DDPM = dict(probability_path="linear", prediction="noise", chain_steps=1000, variance="beta")
HIERARCHY = dict(beta=1.0, free_bits=0.0)
PIX2PIX = dict(objective="non_saturating", l1_weight=100.0)
VQVAE = dict(
    codebook_size=512, commitment_weight=0.25, decay=0.99, codebook_update="average"
)  # fmt: skip

# The source, the optimizer of all players or of each, and further defaults.
DEFAULTS: dict[str, tuple] = {
    "ACGAN": ("Odena et al. 2017, app. A", DCGAN, dict(objective="non_saturating")),
    "ADDA": ("Tzeng et al. 2017, sec. 5.1", DCGAN, {}),
    "ALFR": ("ours", ADAM, dict(weight=1.0, discriminator_steps=1)),
    "AdversarialTraining": (
        "Madry et al. 2018, their code for MNIST", ("Adam", 1e-4, 0.9, 0.999),
        dict(attack="pgd", clean_fraction=0.0),
    ),
    "Autoencoder": ("ours", ADAM, dict(likelihood="bernoulli")),
    "BIVA": ("ours; Maaloe et al. 2019 have Adamax", ADAM, HIERARCHY),
    "BetaTCVAE": ("Chen et al. 2018, sec. 4 and 5", ADAM, dict(alpha=1.0, beta=6.0, gamma=1.0)),
    "BigGAN": (
        "Brock et al. 2019, sec. 3 and 3.1, app. C",
        dict(d_optimizer=("Adam", 2e-4, 0.0, 0.999), g_optimizer=("Adam", 5e-5, 0.0, 0.999)),
        dict(objective="hinge", discriminator_steps=2, orthogonal_weight=1e-4),
    ),
    "CapacityVAE": (
        "Burgess et al. 2018, app. A, but for its rate 5e-4", ADAM,
        dict(gamma=1000.0, capacity=Linear(0.0, 25.0, steps=100_000)),
    ),
    "CharacterRNN": ("ours", ADAM, {}),
    "Classifier": ("ours", ADAM, {}),
    "ClassifyingAutoencoder": ("ours", ADAM, dict(weight=100.0)),
    "CoGAN": ("Liu, Tuzel 2016, app. A", DCGAN, dict(class_weight=1.0, pair_weight=0.0)),
    "CodePrior": ("ours", ADAM, {}),
    "ConditionalCodePrior": ("ours", ADAM, {}),
    "ConditionalDDPM": ("Ho, Salimans 2022, sec. 4.1", ADAM, DDPM | dict(unlabeled=0.1)),
    "ConditionalFlow": ("ours", ADAM, {}),
    "ConditionalGAN": ("as GAN", DCGAN, dict(objective="non_saturating", discriminator_steps=1)),
    "ConditionalPixelCNN": ("ours", ADAM, {}),
    "ConditionalVAE": ("Sohn et al. 2015, eq. (4)", ADAM, dict(beta=1.0)),
    "ConditionalVQVAE": ("ours", ADAM, dict(spectral_weight=300.0)),
    "ConditionalWaveNet": ("ours", ADAM, {}),
    "ConsensusGAN": (
        "Mescheder et al. 2017, sec. 5", ("RMSprop", 1e-4, None, None), dict(gamma=10.0),
    ),
    "ContextEncoder": (
        "Pathak et al. 2016, sec. 3.3 and 4, their code",
        dict(g_optimizer=("Adam", 2e-3, 0.5, 0.999), d_optimizer=DCGAN),
        dict(reconstruction_weight=0.999, adversarial_weight=0.001, overlap_weight=10.0),
    ),
    "ContractiveAutoencoder": ("ours", ADAM, dict(weight=0.1)),
    "CycleGAN": (
        "Zhu et al. 2017, sec. 4 and 5.2", DCGAN,
        dict(objective="least_squares", cycle_weight=10.0, identity_weight=0.5, pool_size=50),
    ),
    "DANN": ("ours; Ganin et al. 2016 have momentum", ("Adam", 3e-4, 0.9, 0.999), dict(weight=0.1)),
    "DBVAE": ("ours", ADAM, dict(weight=100.0, beta=1.0, alpha=0.01, bin_width=0.5)),
    "DDPM": ("Ho et al. 2020, sec. 4, but for its rate 2e-4", ADAM, DDPM),
    "DIPVAE": ("Kumar et al. 2018, sec. 4", ADAM, dict(type="II", off_diagonal_weight=10.0)),
    "DenoisingAutoencoder": (
        "Vincent et al. 2008, sec. 4", ADAM, dict(corruption="masking", amount=0.25),
    ),
    "DocumentAutoencoder": ("ours", ADAM, dict(likelihood="multinomial")),
    "DomainConfusion": (
        "Tzeng et al. 2015, sec. 5", ("Adam", 3e-4, 0.9, 0.999), dict(weight=0.01),
    ),
    "EBM": (
        "Du, Mordatch 2019, algorithm 1, their code, but for the rate for vectors",
        ("Adam", 2e-3, 0.0, 0.999),
        dict(steps=60, step_size=10.0, reset=0.05, from_data=0.0),
    ),
    "EDM": (
        "Karras et al. 2022, tables 1 and 7", ADAM,
        dict(probability_path="karras", deviation=0.5, log_mean=-1.2, log_deviation=1.2),
    ),
    "FactorVAE": (
        "Kim, Mnih 2018, app. A and fig. 4",
        dict(optimizer=("Adam", 1e-4, 0.9, 0.999), d_optimizer=("Adam", 1e-4, 0.5, 0.9)),
        dict(gamma=35.0),
    ),
    "Flow": ("Dinh et al. 2017, sec. 4.1", ADAM, {}),
    "FlowMatching": (
        "Lipman et al. 2023, eq. (23)", ADAM,
        dict(probability_path="straight", pairing="independent"),
    ),
    "GAN": (
        "Goodfellow et al. 2014, sec. 3, and DCGAN", DCGAN,
        dict(objective="non_saturating", discriminator_steps=1, penalty=None),
    ),
    "GRAD": ("ours", ADAM, dict(weight=1.0)),
    "GumbelVAE": (
        "Jang et al. 2017, sec. 4.1: max(0.5, exp(-1e-5 t))", ADAM,
        dict(beta=1.0, temperature=Exponential(1.0, 0.5, steps=69_315), straight_through=False),
    ),
    "HistoryGAN": ("ours", DCGAN, dict(pool_size=1000)),
    "IWAE": ("Burda et al. 2016, sec. 5", ADAM, dict(samples=5, estimator="standard")),
    "InfoGAN": (
        "Chen et al. 2016, app. C",
        dict(d_optimizer=DCGAN, g_optimizer=("Adam", 1e-3, 0.5, 0.999)),
        dict(weight=1.0, continuous_weight=0.1, scale=1.0),
    ),
    "InstanceNoiseGAN": ("as GAN", DCGAN, dict(objective="non_saturating")),
    "LadderVAE": ("Sonderby et al. 2016, sec. 3", ADAM, HIERARCHY),
    "LatentDiffusion": ("as DDPM", ADAM, DDPM | dict(scale=1.0)),
    "M2": ("Kingma et al. 2014, eq. (9): 0.1 N of 100 labels", ADAM, dict(alpha=50.0)),
    "MADE": ("ours", ADAM, {}),
    "MoCoGAN": ("Tulyakov et al. 2018, sec. 4", DCGAN, dict(objective="non_saturating")),
    "PacGAN": ("Lin et al. 2018, sec. 4", DCGAN, dict(objective="non_saturating")),
    "Pix2Pix": ("Isola et al. 2017, sec. 3.3 and 6.2", DCGAN, PIX2PIX),
    "Pix2PixVideo": ("as Pix2Pix", DCGAN, PIX2PIX),
    "PixelCNN": ("ours", ADAM, {}),
    "PixelRNN": ("ours", ADAM, {}),
    "PixelVAE": ("ours", ADAM, dict(free_bits=0.1, beta=1.0)),
    "PriorSampledModel": ("ours", ADAM, dict(samples=100)),
    "ProgressiveGAN": (
        "Karras et al. 2018, app. A.1", ("JoiningAdam", 1e-3, 0.0, 0.99),
        dict(objective=Wasserstein(drift=0.001), penalty=GradientPenalty(10.0),
             stable_steps=50_000, fade_steps=50_000),
    ),
    "Reflow": ("ours", ADAM, {}),
    "SRGAN": (
        "Ledig et al. 2017, eq. (3) and sec. 3.2", ("Adam", 1e-4, 0.9, 0.999),
        dict(pixel_distance="squared", pixel_weight=1.0, adversarial_weight=1e-3),
    ),
    "SparseAutoencoder": ("Ng 2011", ADAM, dict(penalty="kl", weight=3.0, target=0.05)),
    "StyleGAN": (
        "Karras et al. 2020, app. B; 2019, app. C", ("Adam", 2e-3, 0.0, 0.99),
        dict(penalty=R1(10.0, every=16), mixing=0.9, path_weight=2.0, path_every=8),
    ),
    "StyleIdentityVAE": (
        "ours", dict(optimizer=ADAM, d_optimizer=DCGAN),
        dict(swap_weight=1.0, beta=1.0, adversarial_weight=10.0),
    ),
    "TableMADE": ("ours", ADAM, dict(any_order=False)),
    "TableVAE": ("ours", ADAM, dict(beta=1.0, components=20)),
    "TalkingHeads": (
        "Zakharov et al. 2019, sec. 4",
        dict(g_optimizer=("Adam", 5e-5, 0.9, 0.999), d_optimizer=("Adam", 2e-4, 0.9, 0.999)),
        dict(objective="hinge", matching_weight=10.0, embedding_weight=80.0),
    ),
    "UNIT": (
        "Liu et al. 2017, sec. 4", ("Adam", 1e-4, 0.5, 0.999),
        dict(adversarial_weight=10.0, kl_weight=0.1, likelihood_weight=100.0, cycle_kl_weight=0.1,
             cycle_weight=100.0),
    ),
    "UnrolledGAN": ("Metz et al. 2017, sec. 3.1", DCGAN, dict(unrolled_steps=5)),
    "VAE": ("Kingma, Welling 2014, eq. (10), but for its Adagrad", ADAM, dict(beta=1.0)),
    "VAT": (
        "Miyato et al. 2018, sec. 4", ADAM,
        dict(epsilon=2.0, iterations=1, weight=1.0, entropy_weight=0.0),
    ),
    "VFAE": ("Louizos et al. 2016, sec. 3", ADAM, dict(alpha=1.0, beta=100.0)),
    "VQGAN": (
        "Esser et al. 2021, their code", ("Adam", 2e-4, 0.5, 0.9),
        dict(objective="hinge", feature_weight=1.0, adversarial_weight=1.0),
    ),
    "VQVAE": ("van den Oord et al. 2017, sec. 3.2 and 4.1, but for its rate 2e-4", ADAM, VQVAE),
    "VQVAE2": ("Razavi et al. 2019, table 4", ADAM, {}),
    "WGAN": (
        "Arjovsky et al. 2017, algorithm 1", ("RMSprop", 5e-5, None, None),
        dict(clip=0.01, discriminator_steps=5),
    ),
    "WGANGP": (
        "Gulrajani et al. 2017, algorithm 1", ("Adam", 1e-4, 0.0, 0.9),
        dict(penalty_weight=10.0, discriminator_steps=5),
    ),
    "WaveGlow": (
        "Prenger et al. 2019, sec. 3, but for its rate 1e-4", ADAM,
        dict(window=1024, hop=256, rate=22_050, temperature=0.6),
    ),
    "WaveNet": ("ours", ADAM, dict(samples=8000)),
}  # fmt: skip


def described(optimizer) -> tuple:
    config = optimizer.get_config()
    rate = float(f"{optimizer.learning_rate.numpy():.4g}")
    return type(optimizer).__name__, rate, config.get("beta_1"), config.get("beta_2")


@pytest.mark.quick
def test_defaults_are_those_of_the_paper(tiny, model):
    source, optimizers, values = DEFAULTS[type(model).__name__]
    players = model.players()
    expected = optimizers if isinstance(optimizers, dict) else dict.fromkeys(players, optimizers)
    found = {name: described(player.optimizer()) for name, player in players.items()}
    assert found == expected, source
    parameters = inspect.signature(type(model)).parameters
    assert {name: parameters[name].default for name in values} == values, source
