# context: scikit-learn==1.3.2
# python: 3.8
# heals: scikit-learn <0.23
from sklearn.externals import joblib
print(hasattr(joblib, "dump"))
