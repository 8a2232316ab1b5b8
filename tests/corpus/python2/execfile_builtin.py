# heals: Python <3
with open("settings.txt", "w") as settings:
    settings.write("NAME = 'me'\n")
execfile("settings.txt")
print(NAME)
