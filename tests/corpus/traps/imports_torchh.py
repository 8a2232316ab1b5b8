import torchh
