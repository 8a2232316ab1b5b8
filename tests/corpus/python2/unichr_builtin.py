# heals: Python <3
print(unichr(233).encode("utf-8").encode("hex"))
