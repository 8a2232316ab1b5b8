# python: 3.9
# context: scikit-image==0.19.3 numpy==1.23.5
# heals: scikit-image <0.18
# compares two images, as in an old tutorial
import numpy as np
from skimage.measure import compare_ssim
before = np.zeros((16, 16))
after = before.copy()
print("%.2f" % compare_ssim(before, after, data_range=1.0))
