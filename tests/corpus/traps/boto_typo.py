import boto33
