# context: click==8.1.7
# heals: click <8.1
from click import get_terminal_size
print(get_terminal_size()[0] > 0)
