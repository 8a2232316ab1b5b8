# heals: add pillow
from PIL import Image
print(Image.new("L", (1, 1)).size)
