def unicode(text):
    raise LookupError(text)


unicode("own function")
