"""How a film of scenes looks: a recipe becomes what ffmpeg is fed with and told to do.

timeline.py lays a recipe out in pictures and tracks; matroska.py writes those for ffmpeg to read,
feeding.py does so with frames; graph.py says what ffmpeg does with them; texts.py what is written
over them; cells.py where each scene stands; boxes.py reckons with parts of pictures; jpegs.py tells
pictures of different make apart. Only what ffmpeg cannot do with numbers alone touches pixels here:
pixels.py (turned, cut out, shifted, coloured), as drawing.py tells it, by what measures.py finds
(where a frame is shifted to, what its colours are); these are loaded for such films only. fonts/
are free ones.

Time in all of this is counted in pictures: a second is a picture.
"""
