import urlib3
