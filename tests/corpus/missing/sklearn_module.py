# heals: add scikit-learn
import sklearn.cluster
print(sklearn.cluster.KMeans.__name__)
