raise AttributeError("module 'numpy' has no attribute 'float'")
