import tensorflw
