"""The USPS handwritten digits; importing `usps.usps` registers the builder."""
