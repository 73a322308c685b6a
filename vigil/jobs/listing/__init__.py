"""Lists of jobs, with and without those that are parts of others: store.py has the SQL."""
