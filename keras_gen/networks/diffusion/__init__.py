"""Networks for points on a diffusion path and their times."""
