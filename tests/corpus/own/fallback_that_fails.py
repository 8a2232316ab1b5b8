try:
    from yaml import CLoader as Loader
except ImportError:
    Loader = None
print(Loader.name)
