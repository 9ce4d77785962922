"""Reproducible Alzheimer's classifiers from brain MRI with brain-aware replacements."""

__version__ = "0.1.0"
