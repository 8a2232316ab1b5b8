raise ModuleNotFoundError("ask somebody")
