"""Accounts: of each frame that was due, whether it is there, and if not, why.

The chore ``cameras:accounts`` goes over the frames that came since its last pass and over the
moments that passed; it never reads history again. Two frames further apart than their plan says
are a hole; its moments are explained by what the scanner noted meanwhile (``camera_spans``): a
failure, a refusal, or nothing, when nobody watched. A frame that comes late is put into its hole.

Tables: camera_spans, camera_accounts, camera_account_cursor, camera_gaps, camera_days.
Subpackage writing: what a pass writes.
ledger.py (holes and reasons, no input or output), book.py (one camera's account in a pass),
shown.py (for visitors and programs), api.py (JSON).
"""
