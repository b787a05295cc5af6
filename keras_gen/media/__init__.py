"""Images, sounds and animations: files and arrays."""
