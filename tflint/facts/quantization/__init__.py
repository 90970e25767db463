"""Facts about quantization: parameters, real ranges, schemes, bias scales, same-scale groups, float islands."""
