"""The deep-learning framework that Part I of the course builds, in NumPy alone."""
