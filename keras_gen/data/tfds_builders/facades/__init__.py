"""Facades and their labels; importing `facades.facades` registers the builder."""
