# context: textblob==0.18.0.post0 nltk==3.8.1
from textblob import TextBlob
print(TextBlob("How are you? Well.").noun_phrases)
