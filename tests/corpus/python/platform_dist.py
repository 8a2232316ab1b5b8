# python: 3.9
# heals: Python <3.8
import platform
print(type(platform.linux_distribution()).__name__)
