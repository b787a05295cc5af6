"""The Adult census table; importing `adult.adult` registers the builder."""
