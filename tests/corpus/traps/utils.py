from utils import load
