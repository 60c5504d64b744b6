"""What can be asked over HTTP, and the answers: one function a question, from an App and a parsed query to a model.

The highest room: may import everything else in shared/. Each call makes a bounded number of storage requests.
"""
