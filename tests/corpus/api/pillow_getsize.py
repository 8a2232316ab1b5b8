# context: pillow==10.4.0
# heals: pillow <10.0
from PIL import ImageFont
print(ImageFont.load_default().getsize("a")[0] > 0)
