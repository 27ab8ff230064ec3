"""`dropmerge status`: how each feed stands, how the services are, and what needs somebody."""
