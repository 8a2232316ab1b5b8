# python: 3.10
# context: ImageHash==4.2.1 pillow==10.4.0 numpy==1.23.5 scipy==1.10.1
# heals: pillow <10.0
import imagehash
from PIL import Image
print(imagehash.average_hash(Image.new("L", (16, 16))))
