# heals: Python <3.11
import random
cards = list(range(5))
random.shuffle(cards, lambda: 0.5)
print(len(cards))
