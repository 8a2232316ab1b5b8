# python: 3.10
# context: tensorflow-cpu==2.18.0 pandas==1.5.3 numpy==2.0.2
# heals: numpy <2
# an old table beside a new network
import pandas as pd
import tensorflow as tf

table = pd.DataFrame({"x": [1.0, 2.0], "y": [2.0, 4.0]})
tensor = tf.constant(table.values)
print(float(tf.reduce_sum(tensor)), pd.DataFrame(tensor.numpy()).shape)
