"""``make demo``: logs in an S3 server in this process, read with Spark and without.

Run as ``python -m pyspark_logs.demo``. What it shows is code a user could write, and the code shown is the code run;
every figure is compared with what is known to be in the sample.

Inside, imports run one way: ``__main__`` -> ``steps`` -> ``tour`` -> ``bucket``, ``screen``; and
``__main__`` -> ``session``.
"""
