# context: pillow==10.4.0
# heals: pillow <10.0
from PIL import Image, ImageDraw
draw = ImageDraw.Draw(Image.new("RGB", (40, 40)))
print(draw.textsize("a")[0] > 0)
