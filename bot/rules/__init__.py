"""The rules of a chat: what breaks one (a file for each detector), and what follows.

A message is judged where it comes in, by functions that ask nobody (`judge`). One that breaks nothing is never stored.
One that does becomes a row of the inbox, and `verdict` decides it in one unit, however often it is delivered or edited.
"""
