"""Make of a trained task a folder that is all one needs to apply it elsewhere."""
