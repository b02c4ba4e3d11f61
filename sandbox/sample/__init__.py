"""Files of the sample application; they become a repository of their own."""
