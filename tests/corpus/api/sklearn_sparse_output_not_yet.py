# python: 3.10
# context: scikit-learn==1.1.3 numpy==1.23.5 scipy==1.10.1
# heals: scikit-learn >=1.2
from sklearn.preprocessing import OneHotEncoder
encoder = OneHotEncoder(sparse_output=False)
print(encoder.fit_transform([["a"], ["b"], ["a"]]).tolist())
