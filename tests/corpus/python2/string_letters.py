# heals: Python <3
import string
print(len(string.letters))
print(string.join(["a", "b"], "-"))
