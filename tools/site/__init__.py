"""Makes the documentation a site that can be searched, and read without a server and without any other host."""
