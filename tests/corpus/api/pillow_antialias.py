# context: pillow==10.4.0
# heals: pillow <10.0
from PIL import Image
print(Image.new("RGB", (4, 4)).resize((2, 2), Image.ANTIALIAS).size)
