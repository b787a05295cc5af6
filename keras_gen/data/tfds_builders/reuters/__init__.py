"""The Reuters-21578 news stories; importing `reuters.reuters` registers the builder."""
