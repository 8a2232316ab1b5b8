class Config(dict):
    def __getattr__(self, name):
        raise AttributeError(name)


Config().iteritems_of_mine
