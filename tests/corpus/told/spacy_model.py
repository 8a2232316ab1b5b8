# context: spacy==3.7.5 numpy==1.26.4 click==8.1.7
import spacy
nlp = spacy.load("en_core_web_sm")
print(len(nlp("How are you?")))
