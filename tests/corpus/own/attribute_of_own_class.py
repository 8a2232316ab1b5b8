class Frame:
    pass


Frame().append(1)
