import flaskk
