# heals: Python <3.11
with open("a.txt", "w") as file:
    file.write("1\r\n2\r\n")
print(len(open("a.txt", "rU").readlines()))
