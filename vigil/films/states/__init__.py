"""States of a film: waiting → rendering → growing or done; failed, and tried again.

store.py has the SQL. Only a film that is ``rendering`` changes its state by a job: one that was
cancelled or deleted meanwhile stays so, and the function says so.
"""
