"""Health: what is wrong with cameras, found in the numbers of their frames, told once.

The chore ``cameras:health`` looks at the latest frames of each camera. Tables: camera_findings.
findings.py (what pictures and clocks say, no input or output), judging.py (findings become events),
shown.py (for visitors and programs).
"""
