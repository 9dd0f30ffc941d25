"""From readings to meaning: pure kernels, dated factors, and the jobs that apply them."""
