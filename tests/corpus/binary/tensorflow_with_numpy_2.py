# python: 3.9
# context: tensorflow-cpu==2.10.1
# heals: numpy <2; tensorflow-cpu <2; protobuf <3.21
import tensorflow as tf
with tf.Session() as session:
    print(session.run(tf.constant(42)))
