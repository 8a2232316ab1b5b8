# python: 3.9
# context: tensorflow-cpu==2.10.1
# heals: numpy <2
import tensorflow as tf
print(int(tf.constant(42)))
