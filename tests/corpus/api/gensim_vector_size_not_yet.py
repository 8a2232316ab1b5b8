# python: 3.8
# context: gensim==3.8.3 numpy==1.21.6 scipy==1.7.3
# heals: gensim >=4.0
from gensim.models import Word2Vec
print(Word2Vec([["a", "b"]], vector_size=4, min_count=1).wv["a"].shape)
