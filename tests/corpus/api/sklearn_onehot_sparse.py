# context: scikit-learn==1.5.2
# heals: scikit-learn <1.4
from sklearn.preprocessing import OneHotEncoder
print(OneHotEncoder(sparse=False).fit_transform([["a"], ["b"]]).shape)
