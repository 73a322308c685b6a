"""A game's map as pictures: numpy only, no database, no files but the font.

model.py says what goes in (a Galaxy, a Look), view.py where things are in a picture, territory.py
whose land each block is, colours.py what a player's land looks like, names.py and legend.py the
text (words.py renders it), planes.py a picture as the encoder takes it, pictures.py puts it all
together, tick by tick; digest.py names what comes out by what went in.
"""
