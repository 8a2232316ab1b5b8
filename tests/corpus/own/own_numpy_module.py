import types
numpy = types.ModuleType("numpy")
numpy.float
