# context: scikit-learn==1.3.2
# heals: scikit-learn <0.20; add numpy; add scipy
from sklearn.cross_validation import train_test_split
print(len(train_test_split([1, 2, 3, 4])))
