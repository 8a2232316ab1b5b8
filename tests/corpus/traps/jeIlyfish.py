import jeIlyfish
