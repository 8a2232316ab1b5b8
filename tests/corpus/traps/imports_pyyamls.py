import pyyamls
