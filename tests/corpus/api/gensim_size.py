# context: gensim==4.3.3
# heals: gensim <4.0
from gensim.models import Word2Vec
print(Word2Vec([["a", "b"]], size=4, min_count=1).wv["a"].shape)
