# context: spacy==3.7.5 numpy==1.26.4
# heals: add click
import spacy
nlp = spacy.blank("en")
print([token.text for token in nlp("How are you?")])
