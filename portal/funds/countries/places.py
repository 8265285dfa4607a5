"""The groups and regions that countries stand in."""

from portal.core.i18n import _l
from portal.core.labels import Labelled


class Group(Labelled):
    """The regional groups of the General Assembly."""

    AFRICAN = "african", _l("African States")
    ASIA_PACIFIC = "asia_pacific", _l("Asia-Pacific States")
    EASTERN_EUROPEAN = "eastern_european", _l("Eastern European States")
    GRULAC = "grulac", _l("Latin American and Caribbean States")
    WEOG = "weog", _l("Western European and other States")


class Region(Labelled):
    """The regions of M49."""

    AFRICA = "africa", _l("Africa")
    AMERICAS = "americas", _l("Americas")
    ASIA = "asia", _l("Asia")
    EUROPE = "europe", _l("Europe")
    OCEANIA = "oceania", _l("Oceania")


class SubRegion(Labelled):
    """The sub-regions of M49, by their code."""

    NORTHERN_AFRICA = "015", _l("Northern Africa")
    SUB_SAHARAN_AFRICA = "202", _l("Sub-Saharan Africa")
    NORTHERN_AMERICA = "021", _l("Northern America")
    LATIN_AMERICA = "419", _l("Latin America and the Caribbean")
    CENTRAL_ASIA = "143", _l("Central Asia")
    EASTERN_ASIA = "030", _l("Eastern Asia")
    SOUTH_EASTERN_ASIA = "035", _l("South-eastern Asia")
    SOUTHERN_ASIA = "034", _l("Southern Asia")
    WESTERN_ASIA = "145", _l("Western Asia")
    EASTERN_EUROPE = "151", _l("Eastern Europe")
    NORTHERN_EUROPE = "154", _l("Northern Europe")
    SOUTHERN_EUROPE = "039", _l("Southern Europe")
    WESTERN_EUROPE = "155", _l("Western Europe")
    AUSTRALIA_NEW_ZEALAND = "053", _l("Australia and New Zealand")
    MELANESIA = "054", _l("Melanesia")
    MICRONESIA = "057", _l("Micronesia")
    POLYNESIA = "061", _l("Polynesia")

    @property
    def region(self) -> Region:
        """The region that this is a part of."""
        return _REGION_OF[self]


_REGION_OF = {
    SubRegion.NORTHERN_AFRICA: Region.AFRICA,
    SubRegion.SUB_SAHARAN_AFRICA: Region.AFRICA,
    SubRegion.NORTHERN_AMERICA: Region.AMERICAS,
    SubRegion.LATIN_AMERICA: Region.AMERICAS,
    SubRegion.CENTRAL_ASIA: Region.ASIA,
    SubRegion.EASTERN_ASIA: Region.ASIA,
    SubRegion.SOUTH_EASTERN_ASIA: Region.ASIA,
    SubRegion.SOUTHERN_ASIA: Region.ASIA,
    SubRegion.WESTERN_ASIA: Region.ASIA,
    SubRegion.EASTERN_EUROPE: Region.EUROPE,
    SubRegion.NORTHERN_EUROPE: Region.EUROPE,
    SubRegion.SOUTHERN_EUROPE: Region.EUROPE,
    SubRegion.WESTERN_EUROPE: Region.EUROPE,
    SubRegion.AUSTRALIA_NEW_ZEALAND: Region.OCEANIA,
    SubRegion.MELANESIA: Region.OCEANIA,
    SubRegion.MICRONESIA: Region.OCEANIA,
    SubRegion.POLYNESIA: Region.OCEANIA,
}
