# context: prompt_toolkit==3.0.47
# heals: prompt-toolkit <2.0
from prompt_toolkit.token import Token
print(Token.Prompt)
