# context: nltk==3.8.1
import nltk
print(nltk.word_tokenize("How are you?"))
