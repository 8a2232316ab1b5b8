try:
    import reqeusts_of_mine
except ImportError:
    raise KeyError("settings")
