# context: scikit-learn==1.3.2
# python: 3.9
# heals: scikit-learn <1.2
from sklearn.datasets import load_boston
print(load_boston.__name__)
