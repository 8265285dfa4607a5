"""What the public may see: the site that anybody reads, and figures in which nobody is found."""
