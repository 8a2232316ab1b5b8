try:
    import fast_thing
except ImportError:
    raise ImportError("fast_thing is missing: pip install fast-thing")
