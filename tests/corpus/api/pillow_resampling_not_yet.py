# python: 3.10
# context: pillow==9.0.1
# heals: pillow >=9.1
from PIL import Image
print(Image.new("RGB", (8, 8)).resize((2, 2), Image.Resampling.LANCZOS).size)
