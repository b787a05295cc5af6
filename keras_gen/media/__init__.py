"""Images, sounds and animations as files and arrays, and the spectra of sounds; no models."""
