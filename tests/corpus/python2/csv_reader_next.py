# heals: Python <3
import csv
reader = csv.reader(["a,b", "1,2"])
header = reader.next()
print(dict(zip(header, reader.next()))["b"])
