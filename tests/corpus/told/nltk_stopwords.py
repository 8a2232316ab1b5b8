# context: nltk==3.8.1
from nltk.corpus import stopwords
print(len(stopwords.words("english")))
