import djnago
