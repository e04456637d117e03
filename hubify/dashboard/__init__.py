"""The live page: static files that speak the public sync protocol, and what hands them out."""
