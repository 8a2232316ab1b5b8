import colourama
