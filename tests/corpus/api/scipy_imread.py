# python: 3.8
# context: scipy==1.10.1 pillow==9.5.0 numpy==1.22.4
# heals: scipy <1.3
import numpy as np
from scipy import misc
misc.imsave("a.png", np.zeros((4, 4), dtype=np.uint8))
print(misc.imread("a.png").shape)
