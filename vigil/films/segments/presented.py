"""Segments as players get them.

H.264 reorders pictures, in some segments over one, in others over two. In a segment as it is kept,
each lasts as long as it is shown, and the first is presented when it is decoded; so some are
presented "before" they are decoded. Browsers take that. ffmpeg's and GStreamer's demuxers make up
for the most that they have met so far: behind a segment that reorders more than all before it,
everything comes a picture or two late. So decode times are settled. (An edit list, the other way,
is not known to hls.js, which then misplaces what follows an EXT-X-DISCONTINUITY.)

Those demuxers also keep to the first header of a film where the encoder was another later on, so
parameter sets stand in front of each segment's first picture as well.
"""

from __future__ import annotations

from vigil.films.segments import fmp4, splicing
from vigil.films.segments.fmp4 import Segment


def media(segment: Segment, sequence: int, ticks: int) -> bytes:
    """Its pictures as number ``sequence`` (from 1) of a film, ``ticks`` after its start.

    VP9 and AV1 stay as they are: what they reorder is within a packet, with its parameters.
    """
    moof = fmp4.place(segment.moof, sequence, ticks)
    parameters = splicing.parameter_sets(segment.init)
    if not parameters:
        return b"".join((moof, segment.mdat))
    return splicing.with_parameters(b"".join((fmp4.settled(moof), segment.mdat)), parameters)
