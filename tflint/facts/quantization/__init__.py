"""Facts of quantization: parameters and real ranges, schemes, bias scales, same-scale groups, float islands."""
