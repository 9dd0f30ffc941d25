"""Ground floor: what is remembered, and in which words."""
