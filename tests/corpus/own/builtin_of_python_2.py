name = "somebody"
print(f"{unicode(name)}")
