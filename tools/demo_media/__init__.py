"""Draws, renders and speaks the media of the demo collection, with the events that are in them."""
