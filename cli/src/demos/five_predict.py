"""Demo 5, second half of a pipeline: needs a newer Python (3.11) with tensorflow.

Takes the first half's line of JSON as its argument and predicts SUCCESS if the sum in it is over 200: one neuron
with a weight and a bias, computed by tensorflow. By hand:

    python five_predict.py "$(old-python five_convolve.py)"
"""

import json
import os
import platform
import sys

# tensorflow greets on stderr unless it is told not to, before it is imported; and it tells that it uses oneDNN,
# whatever it is told, unless it does not.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import tensorflow as tf

value = json.loads(sys.argv[1])["sum"]

# sigmoid(0.1 x - 20) is over one half exactly if x is over 200.
neuron = tf.sigmoid(tf.constant(0.1) * tf.constant(float(value)) + tf.constant(-20.0))
confidence = float(neuron.numpy())

print(json.dumps({
    "python": platform.python_version(),
    "tensorflow": tf.__version__,
    "value": value,
    "confidence": round(confidence, 3),
    "prediction": "SUCCESS" if confidence > 0.5 else "FAILURE",
}))
