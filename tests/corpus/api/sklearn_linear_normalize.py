# context: scikit-learn==1.5.2
# heals: scikit-learn <1.2; numpy <2
from sklearn.linear_model import LinearRegression
print(LinearRegression(normalize=False).fit([[0.0], [1.0]], [0.0, 1.0]).coef_.round(2))
