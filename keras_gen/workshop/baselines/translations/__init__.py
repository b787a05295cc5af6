"""Images from images without a network: filters, fills, and ways to learn from pairs."""
