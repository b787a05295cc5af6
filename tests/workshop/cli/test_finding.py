"""`keras-gen find`: what comes first for the words that people type."""

import tomllib

import pytest

import keras_gen
from keras_gen.workshop.cli import main
from keras_gen.workshop.cli.finding import ALIASES, Index, words_of
from processes import RECIPES, ROOT

FIRST = {
    # classes
    "VAE": "VAE", "variational autoencoders": "VAE", "CVAE": "ConditionalVAE", "VQ-VAE": "VQVAE",
    "VQ-VAE-2": "VQVAE2", "vector quantisation": "VQVAE", "ladder VAE": "LadderVAE",
    "Gumbel softmax": "GumbelVAE", "semi-supervised VAE": "M2", "β-TCVAE": "BetaTCVAE",
    "GANs": "GAN", "generative adversarial network": "GAN", "cGAN": "ConditionalGAN",
    "AC-GAN": "ACGAN", "WGAN-GP": "WGANGP", "Wasserstein GAN": "WGAN",
    "gradient penalty": "WGANGP", "PGGAN": "ProgressiveGAN", "Style GAN": "StyleGAN",
    "truncation trick": "BigGAN", "cycle GAN": "CycleGAN", "cycle-consistency": "CycleGAN",
    "pix2pix": "Pix2Pix", "image-to-image translation": "Pix2Pix", "superresolution": "SRGAN",
    "inpainting": "ContextEncoder", "deepfakes": "TalkingHeads", "vid2vid": "Pix2PixVideo",
    "diffusion": "DDPM", "diffusion models": "DDPM", "Stable Diffusion": "LatentDiffusion",
    "rectified flow": "FlowMatching", "score SDE": "EDM", "normalising flows": "Flow",
    "MADE": "MADE", "PixelCNN": "PixelCNN", "autoregressive": "PixelCNN",
    "char-RNN": "CharacterRNN", "LSTM": "CharacterRNN", "text-to-speech": "ConditionalWaveNet",
    "vocoder": "WaveGlow", "gradient reversal": "DANN", "fairness": "ALFR",
    "FGSM": "AdversarialTraining", "virtual adversarial training": "VAT",
    "denoising autoencoders": "DenoisingAutoencoder", "VAE loss": "VAE",
    "Auto-Encoding Variational Bayes": "VAE", "Improved Training of Wasserstein GANs": "WGANGP",
    # recipes
    "DCGAN": "dcgan_fashion_mnist", "LSGAN": "gan_objectives_fashion_mnist", "Glow": "glow_mnist",
    "RealNVP": "real_nvp_mnist", "GPT": "word_transformer_reuters",
    "transformers": "word_transformer_reuters", "PCA": "linear_autoencoder_mnist",
    "k-means": "embeddings_mnist", "anomaly detection": "anomaly_detection_mnist",
    "OOD": "outliers_fashion_mnist", "domain adaptation": "domain_adaptation_digits",
    "style transfer": "cyclegan_monet", "beta-VAE": "disentanglement_factors",
    "MNIST": "vae_mnist", "CIFAR-10": "vq_vae_cifar10", "CelebA": "convolutional_vae_celeb_a",
    # topics
    "mode collapse": "mode collapse", "ELBO": "evidence lower bound, ELBO",
    "reparameterisation trick": "reparameterization trick",
    "posterior collapse": "posterior collapse", "KL annealing": "KL annealing",
    "DDIM": "DDIM, fewer steps", "classifier-free guidance": "classifier-free guidance",
    "score matching": "score matching", "word2vec": "text, bag of words",
    "Nash equilibrium": "minimax game", "U-Net": "U-Net",
    # functions, glossary terms, tasks, and rows of the guide
    "FID": "frechet_distance", "Frechet Inception Distance": "frechet_distance",
    "FID score": "frechet_distance", "KID": "kernel_distance", "MMD": "kernel_distance",
    "MS-SSIM": "ms_ssim", "MIG": "mutual_information_gap",
    "spectral norm": "spectral normalization", "AdaIN": "StyleGAN", "EMA": "averaged weights",
    "KL": "KL divergence", "latent space": "latents", "multi-GPU": "Train on several devices",
    "fine-tuning": "Fine-tune a trained model on your own images",
    "image generation": "images → new images like them",
}  # fmt: skip


@pytest.fixture(scope="module")
def index():
    return Index(ROOT)


@pytest.mark.parametrize("words", FIRST)
def test_the_first_match_is_what_the_words_mean(index, words):
    assert index.found(words)[0].name == FIRST[words]


def test_every_class_and_every_recipe_finds_itself(index):
    names = [*keras_gen.__all__, *RECIPES]
    assert [index.found(name)[0].name for name in names] == names


def test_every_alias_leads_to_something_that_exists(index):
    aliases = tomllib.loads((ROOT / "recipes" / ALIASES).read_text(encoding="utf-8"))
    names = {"".join(words_of(entry.name)) for entry in index.entries}
    assert [name for name in aliases if "".join(words_of(name)) not in names] == []
    assert all("".join(words_of(alias)) for own in aliases.values() for alias in own)


def test_matching_ignores_case_plurals_accents_hyphens_and_british_spelling():
    american = "colors normalized modeling center gray distances auto-encoder Frechet beta classes"
    british = "Colour normalised modelling centre grey distance auto encoders Fréchet β class"
    assert words_of(american) == words_of(british)


def test_words_that_match_nothing_are_refused(index):
    with pytest.raises(ValueError, match="nothing matches 'cylegan'; did you mean cyclegan"):
        index.found("cylegan")
    for words in ("xyz", "the", ""):
        with pytest.raises(ValueError, match=f"nothing matches '{words}'"):
            index.found(words)


def test_the_command_prints_class_recipe_chapter_and_picture(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert main(["find", "real", "nvp"]) == 0
    lines = capsys.readouterr().out.splitlines()
    first = lines[: next(i for i, line in enumerate(lines) if i and line[0] != " ")]
    assert first[0] == "real_nvp_mnist (recipe)"
    labels = {line[:12].strip(): line[12:].strip() for line in first[1:]}
    assert labels["class"] == "Flow, keras_gen/flows/flow.py"
    assert labels["recipe"].startswith("real_nvp_mnist, ") and "minutes" in labels["recipe"]
    assert labels["chapter"] == "docs/course/08_flows.md"
    assert labels["picture"] == "recipes/results/real_nvp_mnist.png"
