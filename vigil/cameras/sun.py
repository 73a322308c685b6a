"""Where the sun stands: geometry only, without refraction, from NOAA's solar position formula.

Source: NOAA Global Monitoring Laboratory, "Solar Calculation Details" and its spreadsheet
(https://gml.noaa.gov/grad/solcalc/calcdetails.html), after Jean Meeus, Astronomical Algorithms,
2nd edition, 1998, chapters 25 and 28. Good to about 0.01° between 1900 and 2100.
"""

from __future__ import annotations

from datetime import datetime
from math import asin, atan2, cos, degrees, pi, radians, sin, tan

_J2000_S = 946_728_000.0
"""2000-01-01 12:00 UTC in seconds since 1970."""
_CENTURY_S = 36_525 * 86_400.0


def height(latitude: float, longitude: float, moment: datetime) -> float:
    """Degrees of the sun's centre above the horizon, -90 to 90; sunrise is about -0.83.

    Args:
        latitude: degrees, north positive.
        longitude: degrees, east positive.
        moment: with a time zone.
    """
    return height_at(latitude, longitude, moment.timestamp())


def height_at(latitude: float, longitude: float, epoch_s: float) -> float:
    """The same at a moment given as seconds since 1970 UTC."""
    return place(latitude, longitude, epoch_s)[0]


def place(latitude: float, longitude: float, epoch_s: float) -> tuple[float, bool]:
    """Degrees above the horizon, and whether it is before noon by the sun."""
    declination, angle = position(longitude, epoch_s)
    north = radians(latitude)
    sine = sin(north) * sin(declination) + cos(north) * cos(declination) * cos(angle)
    return degrees(asin(max(-1.0, min(1.0, sine)))), sin(angle) < 0


def noon_at(longitude: float, epoch_s: float) -> float:
    """Seconds since 1970 of the sun's highest place in the half day before or after a moment."""
    _, angle = position(longitude, epoch_s)
    return epoch_s - atan2(sin(angle), cos(angle)) / (2 * pi) * 86_400.0


def position(longitude: float, epoch_s: float) -> tuple[float, float]:
    """The sun's declination, and its hour angle there: 0 at noon, negative before; radians.

    Args:
        longitude: degrees, east positive.
        epoch_s: seconds since 1970 UTC.
    """
    t = (epoch_s - _J2000_S) / _CENTURY_S
    mean = radians(280.46646 + t * (36_000.76983 + t * 0.0003032))
    anomaly = radians(357.52911 + t * (35_999.05029 - t * 0.0001537))
    eccentricity = 0.016708634 - t * (0.000042037 + t * 0.0000001267)
    centre = radians(
        sin(anomaly) * (1.914602 - t * (0.004817 + t * 0.000014))
        + sin(2 * anomaly) * (0.019993 - t * 0.000101)
        + sin(3 * anomaly) * 0.000289
    )
    node = radians(125.04 - 1934.136 * t)
    longitude_of_sun = mean + centre - radians(0.00569 + 0.00478 * sin(node))
    obliquity = radians(
        23.0
        + (26.0 + (21.448 - t * (46.815 + t * (0.00059 - t * 0.001813))) / 60) / 60
        + 0.00256 * cos(node)
    )
    declination = asin(sin(obliquity) * sin(longitude_of_sun))
    y = tan(obliquity / 2) ** 2
    equation_of_time = (  # radians that a sundial is ahead of a clock
        y * sin(2 * mean)
        - 2 * eccentricity * sin(anomaly)
        + 4 * eccentricity * y * sin(anomaly) * cos(2 * mean)
        - 0.5 * y * y * sin(4 * mean)
        - 1.25 * eccentricity * eccentricity * sin(2 * anomaly)
    )
    turned = (epoch_s % 86_400.0) / 86_400.0 * 2 * pi
    return declination, turned + equation_of_time + radians(longitude) - pi
