"""For each cause two conversations that differ in one thing: with it the cause is shown, without it only nearly.

A module of this folder holds functions named as causes are, ``def packet_loss(shown: bool) -> Scene``, one for each
cause; nothing else in it may bear such a name. ``test_near_misses.py`` walks over all causes and wants both halves.
"""
