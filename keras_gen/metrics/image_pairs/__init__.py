"""Images compared with their originals."""
