# python: 3.7
# context: scikit-image==0.15.0 numpy==1.17.5 scipy==1.2.3
# heals: scikit-image >=0.16
import numpy as np
from skimage.metrics import structural_similarity as ssim
image = np.arange(256.0).reshape(16, 16)
print("%.1f" % ssim(image, image, data_range=255))
